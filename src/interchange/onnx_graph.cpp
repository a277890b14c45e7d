#include "interchange/onnx_graph.h"

#include <ATen/ops/tensor.h>

#include <array>

#include "interchange/onnx_operators.h"
#include "interchange/onnx_tensors.h"
#include "whence/core/error.h"

namespace whence::interchange {
namespace {

constexpr std::int64_t kFirstOpset = 9, kLastOpset = 24;
constexpr std::int64_t kMostNodes = 200'000;
constexpr int kDeepestCall = 16;

/// "the operator Conv ('/conv1/Conv')"
std::string place_of_node(const OnnxNode& node) {
  const std::string& name = node.name.empty() && !node.outputs.empty() ? node.outputs.front() : node.name;
  const std::string operation = node.domain.empty() ? node.operation : node.domain + "." + node.operation;
  return fmt::format("the operator {}{}", operation, name.empty() ? "" : " ('" + name + "')");
}

void add_free_names(const std::vector<OnnxNode>& nodes, std::set<std::string>& names);

/// Of the node and of the branches in it.
void add_inputs_of(const OnnxNode& node, std::set<std::string>& names) {
  names.insert(node.inputs.begin(), node.inputs.end());
  for (const OnnxAttribute& attribute : node.attributes) {
    for (const OnnxGraphProto& branch : attribute.graph) {
      add_free_names(branch.nodes, names);
      for (const OnnxValueInfo& output : branch.outputs) names.insert(output.name);
    }
  }
}

void add_free_names(const std::vector<OnnxNode>& nodes, std::set<std::string>& names) {
  for (const OnnxNode& node : nodes) add_inputs_of(node, names);
}

/// All names that `outputs` depend on.
std::set<std::string> needed_names(const std::vector<OnnxNode>& nodes,
                                   const std::vector<std::string>& outputs) {
  std::set<std::string> needed(outputs.begin(), outputs.end());
  for (std::size_t i = nodes.size(); i-- > 0;) {
    const std::vector<std::string>& made = nodes[i].outputs;
    if (std::any_of(made.begin(), made.end(), [&](const std::string& name) { return needed.contains(name); }))
      add_inputs_of(nodes[i], needed);
  }
  needed.erase("");
  return needed;
}

/// A node of a function with the attributes of the call put in.
OnnxNode with_attributes(const OnnxNode& node, const std::vector<OnnxAttribute>& given) {
  OnnxNode filled = node;
  filled.attributes.clear();
  for (const OnnxAttribute& attribute : node.attributes) {
    if (attribute.reference.empty()) {
      filled.attributes.push_back(attribute);
      continue;
    }
    for (const OnnxAttribute& value : given) {
      if (value.name != attribute.reference) continue;
      filled.attributes.push_back(value);
      filled.attributes.back().name = attribute.name;
    }
  }
  return filled;
}

}  // namespace

OnnxGraph::OnnxGraph(const OnnxModel& model, std::filesystem::path file, std::int64_t most_constants,
                     std::optional<OnnxTexts> texts)
    : model_(model),
      file_(std::move(file)),
      texts_(texts),
      emitter_("OnnxModel", most_constants),
      nodes_left_(kMostNodes) {
  for (const OnnxFunction& function : model.functions)
    functions_[{function.domain, function.name, function.overload}] = &function;
}

void OnnxGraph::count_nodes(std::size_t nodes) {
  nodes_left_ -= static_cast<std::int64_t>(nodes);
  if (nodes_left_ < 0) throw OnnxProblem("is one of too many; no model of images is that large");
}

torch::jit::Module OnnxGraph::build() {
  const std::vector<std::string> wanted = outputs();
  const std::set<std::string> needed = needed_names(model_.graph.nodes, wanted);
  Scope scope{.opsets = model_.opsets};
  add_initializers(model_.graph.initializers, scope);
  add_input(needed, scope);
  add_nodes(model_.graph.nodes, needed, scope);
  std::vector<OnnxValue> values;
  for (const std::string& name : wanted) {
    const std::optional<OnnxValue> value = find(name, scope);
    if (!value)
      fail("{} is damaged: nothing computes its output {}; export the model again", file_.string(), name);
    if (value->computed == nullptr)
      fail("the output {} of {} does not depend on its input; export a model of one image", name,
           file_.string());
    values.push_back(*value);
  }
  return emitter_.finish(values, wanted);
}

void OnnxGraph::add_initializers(const std::vector<OnnxTensor>& tensors, Scope& scope) {
  for (const OnnxTensor& tensor : tensors) scope.initializers[tensor.name] = &tensor;
}

void OnnxGraph::add_input(const std::set<std::string>& needed, Scope& scope) {
  const OnnxValueInfo* found = nullptr;
  for (const OnnxValueInfo& input : model_.graph.inputs) {
    if (scope.initializers.contains(input.name) || !needed.contains(input.name)) continue;
    if (found != nullptr)
      fail("{} takes several inputs ({} and {}); export a model of one image", file_.string(), found->name,
           input.name);
    found = &input;
  }
  if (found == nullptr) fail("{} takes no input; export a model of one image", file_.string());
  try {
    scope.values[found->name] = texts_ ? texts_of(*found, *texts_) : input_of(*found);
  } catch (const OnnxProblem& problem) {
    fail("{}: its input {} {}", file_.string(), found->name, problem.what());
  }
}

OnnxValue OnnxGraph::texts_of(const OnnxValueInfo& input, const OnnxTexts& texts) {
  const std::string file = file_.string();
  if (!input.tensor) fail("{} takes an input that is no tensor; export a model of texts", file);
  const at::ScalarType type = onnx_scalar_type(input.type, fmt::format("{}: its input {}", file, input.name));
  const auto sizes = input.sizes.value_or(decltype(input.sizes)::value_type());
  const std::size_t dimensions = sizes.size();
  const bool numbers = at::isIntegralType(type, false) && dimensions == 2,
             vectors = type == at::kFloat && dimensions == 3;
  if (!numbers && !vectors)
    fail(
        "{} takes neither numbers of words, whole numbers (texts, words), nor word vectors, float32 (texts, "
        "words, values); export a model that does",
        file);
  if (vectors != texts.vectors)
    fail("{} takes {}; set text_classifier.input to {}", file, vectors ? "word vectors" : "numbers of words",
         vectors ? "vectors" : "numbers");
  const std::optional<std::int64_t> fixed = sizes[1];
  if (fixed && *fixed != texts.words)
    fail("{} takes texts of {} words only; export it with the number of words left open", file, *fixed);
  emitter_.fixed_batch = sizes.front();
  if (numbers) {
    OnnxValue value = emitter_.add_input({texts.words});
    value.type = at::kLong;
    return value;
  }
  const std::optional<std::int64_t> values = sizes[2];
  if (!values || *values < 1)
    fail("{} leaves open how many values a word vector has; export it with that number fixed", file);
  return emitter_.add_input({texts.words, *values});
}

OnnxValue OnnxGraph::input_of(const OnnxValueInfo& input) {
  const std::string file = file_.string();
  if (!input.tensor) fail("{} takes an input that is no tensor; export a model of one image", file);
  if (onnx_scalar_type(input.type, fmt::format("{}: its input {}", file, input.name)) != at::kFloat)
    fail("{} takes whole numbers; export a model of images in [0, 1] as float32", file);
  if (!input.sizes || input.sizes->empty())
    fail("{} does not tell the shape of its input {}; export it with a fixed height and width", file,
         input.name);
  emitter_.fixed_batch = input.sizes->front();
  constexpr std::int64_t most_samples = 1 << 20;
  if (emitter_.fixed_batch && (*emitter_.fixed_batch < 1 || *emitter_.fixed_batch > most_samples))
    fail("{} takes a batch of {}; export it for a batch of any size", file, *emitter_.fixed_batch);
  std::vector<std::int64_t> sample;
  for (std::size_t i = 1; i < input.sizes->size(); ++i) {
    const std::optional<std::int64_t> size = (*input.sizes)[i];
    if (!size || *size < 1)
      fail(
          "{} leaves more sizes of its input {} open than the number of samples; export it with a fixed "
          "height and width",
          file, input.name);
    sample.push_back(*size);
  }
  if (sample.empty()) fail("{} takes an input of one dimension; export a model of one image", file);
  constexpr std::int64_t most_colours = 4;  // no image is that small
  const bool colours_last = sample.size() == 3 && sample[2] <= most_colours && sample[2] != 2 &&
                            std::min(sample[0], sample[1]) > most_colours;
  const std::vector<std::int64_t> image =
      colours_last ? std::vector<std::int64_t>{sample[2], sample[0], sample[1]} : sample;
  const OnnxValue x = emitter_.add_input(image);
  emitter_.tell_shape(image);
  if (sample.size() == 1)  // images as rows of numbers
    return emitter_.emit("aten::flatten.using_ints", {x, 1, -1}, x.sizes);
  if (!colours_last) return x;
  const std::vector<std::int64_t> order = {0, 2, 3, 1};
  OnnxValue turned =
      emitter_.emit("aten::permute", {x, order}, {x.sizes[0], x.sizes[2], x.sizes[3], x.sizes[1]});
  turned.order = std::make_shared<OnnxOrder>(OnnxOrder{x, order});
  return turned;
}

std::vector<std::string> OnnxGraph::outputs() const {
  std::map<std::string_view, const OnnxNode*> makers;
  for (const OnnxNode& node : model_.graph.nodes)
    for (const std::string& output : node.outputs) makers[output] = &node;
  std::vector<std::string> names;
  for (const OnnxValueInfo& output : model_.graph.outputs) {
    const auto maker = makers.find(output.name);
    const bool mapped = maker != makers.end() && maker->second->operation == "ZipMap";
    if (mapped && !maker->second->inputs.empty()) {  // probabilities by names of classes
      names.push_back(maker->second->inputs.front());
      continue;
    }
    constexpr std::array<std::int64_t, 4> real = {1, 10, 11, 16};  // float32, float16, float64, bfloat16
    const bool unknown = !output.tensor && output.type == 0;
    // Whole numbers and text are labels, which have no gradient.
    if (unknown || std::find(real.begin(), real.end(), output.type) != real.end())
      names.push_back(output.name);
  }
  if (names.empty())
    fail("{} returns no tensor of float32 numbers; export a model that returns its scores", file_.string());
  return names;
}

void OnnxGraph::add_nodes(const std::vector<OnnxNode>& nodes, const std::set<std::string>& needed,
                          Scope& scope) {
  for (const OnnxNode& node : nodes) {
    const bool is_needed = std::any_of(node.outputs.begin(), node.outputs.end(),
                                       [&](const std::string& name) { return needed.contains(name); });
    if (!is_needed) continue;
    try {
      if (scope.attributes != nullptr)
        add_node(with_attributes(node, *scope.attributes), scope);
      else
        add_node(node, scope);
    } catch (const Error&) {
      throw;
    } catch (const OnnxProblem& problem) {
      fail("{}: {} {}", file_.string(), place_of_node(node), problem.what());
    } catch (const std::exception& error) {
      fail("{}: {} cannot be read ({}); export the model again", file_.string(), place_of_node(node),
           sentence_of(error));
    }
  }
}

void OnnxGraph::add_node(const OnnxNode& node, Scope& scope) {
  count_nodes(1);
  const std::vector<OnnxValue> results = results_of(node, scope);
  for (std::size_t i = 0; i < std::min(results.size(), node.outputs.size()); ++i) {
    OnnxValue value = results[i];
    const auto counts = value.numbers ? counts_of(*value.numbers) : std::nullopt;
    if (counts) {  // no number of samples any longer
      const at::Tensor list = at::tensor(*counts, at::kLong);
      value = emitter_.constant(value.sizes.empty() ? list.reshape(std::vector<std::int64_t>()) : list);
    }
    const bool known =
        value.is_constant() || value.numbers || value.computed != nullptr || !value.sequence.empty();
    if (known && !node.outputs[i].empty()) scope.values[node.outputs[i]] = std::move(value);
  }
}

std::vector<OnnxValue> OnnxGraph::results_of(const OnnxNode& node, Scope& scope) {
  if (const OnnxFunction* function = function_of(node)) return call_function(*function, node, scope);
  if (node.operation == "If" && node.domain.empty()) return take_branch(node, scope);
  if (node.operation == "Constant" && node.domain.empty()) {
    for (const OnnxAttribute& attribute : node.attributes)
      if (attribute.name == "value" && !attribute.tensor.empty())
        return {emitter_.constant(read_onnx_tensor(attribute.tensor.front(), file_))};
  }
  std::vector<std::optional<OnnxValue>> inputs;
  for (const std::string& name : node.inputs) {
    if (name.empty()) {
      inputs.emplace_back();
      continue;
    }
    inputs.push_back(find(name, scope));
    if (!inputs.back()) throw OnnxProblem(fmt::format("reads {}, which nothing computes", name));
  }
  OnnxCall call(node, opset_of(node, scope), std::move(inputs), emitter_);
  if (node.domain.empty())
    if (std::optional<OnnxValue> result = on_numbers(call, node.operation)) return {std::move(*result)};
  std::vector<OnnxValue> results = find_onnx_operator(node)(call);
  if (node.domain.empty() && results.size() == 1) note_indices(call, node.operation, results.front());
  return results;
}

std::int64_t OnnxGraph::opset_of(const OnnxNode& node, const Scope& scope) const {
  const auto found = scope.opsets.find(node.domain);
  if (!node.domain.empty()) return found == scope.opsets.end() ? 1 : found->second;
  if (found == scope.opsets.end())
    fail("{} is damaged: it does not say which version of ONNX's operators it uses; export the model again",
         file_.string());
  if (found->second < kFirstOpset || found->second > kLastOpset)
    fail("{} uses version {} of ONNX's operators, but whence knows {} to {}; export it with opset_version=20",
         file_.string(), found->second, kFirstOpset, kLastOpset);
  return found->second;
}

const OnnxFunction* OnnxGraph::function_of(const OnnxNode& node) const {
  const auto found = functions_.find({node.domain, node.operation, node.overload});
  return found == functions_.end() ? nullptr : found->second;
}

std::vector<OnnxValue> OnnxGraph::call_function(const OnnxFunction& function, const OnnxNode& node,
                                                Scope& scope) {
  if (scope.depth >= kDeepestCall) throw OnnxProblem("calls functions too deep in one another");
  if (node.inputs.size() > function.inputs.size()) throw OnnxProblem("has more inputs than its function");
  std::vector<OnnxAttribute> attributes = node.attributes;
  attributes.insert(attributes.end(), function.defaults.begin(), function.defaults.end());
  Scope inner{.opsets = function.opsets, .attributes = &attributes, .depth = scope.depth + 1};
  for (std::size_t i = 0; i < node.inputs.size(); ++i) {
    if (node.inputs[i].empty()) continue;
    const std::optional<OnnxValue> value = find(node.inputs[i], scope);
    if (!value) throw OnnxProblem(fmt::format("reads {}, which nothing computes", node.inputs[i]));
    inner.values[function.inputs[i]] = *value;
  }
  count_nodes(function.nodes.size());
  add_nodes(function.nodes, needed_names(function.nodes, function.outputs), inner);
  std::vector<OnnxValue> results;
  for (const std::string& name : function.outputs) {
    std::optional<OnnxValue> value = find(name, inner);
    if (!value) throw OnnxProblem(fmt::format("returns {}, which nothing computes", name));
    results.push_back(std::move(*value));
  }
  return results;
}

std::vector<OnnxValue> OnnxGraph::take_branch(const OnnxNode& node, Scope& scope) {
  if (scope.depth >= kDeepestCall) throw OnnxProblem("lies too deep in other conditions");
  const std::optional<OnnxValue> condition =
      node.inputs.empty() ? std::nullopt : find(node.inputs.front(), scope);
  if (!condition || !condition->is_constant() || condition->constant.numel() != 1)
    throw OnnxProblem("chooses by the values of the image; export the model without the condition");
  const char* name = condition->constant.to(at::kBool).item<bool>() ? "then_branch" : "else_branch";
  for (const OnnxAttribute& attribute : node.attributes) {
    if (attribute.name != name || attribute.graph.empty()) continue;
    const OnnxGraphProto& branch = attribute.graph.front();
    Scope inner{
        .outer = &scope, .opsets = scope.opsets, .attributes = scope.attributes, .depth = scope.depth + 1};
    add_initializers(branch.initializers, inner);
    std::vector<std::string> names;
    for (const OnnxValueInfo& output : branch.outputs) names.push_back(output.name);
    count_nodes(branch.nodes.size());
    add_nodes(branch.nodes, needed_names(branch.nodes, names), inner);
    std::vector<OnnxValue> results;
    for (const std::string& output : names) {
      std::optional<OnnxValue> value = find(output, inner);
      if (!value) throw OnnxProblem(fmt::format("returns {}, which nothing computes", output));
      results.push_back(std::move(*value));
    }
    return results;
  }
  throw OnnxProblem(fmt::format("lacks its {}", name));
}

std::optional<OnnxValue> OnnxGraph::find(const std::string& name, Scope& scope) {
  for (Scope* at = &scope; at != nullptr; at = at->outer) {
    if (const auto value = at->values.find(name); value != at->values.end()) return value->second;
    const auto initializer = at->initializers.find(name);
    if (initializer == at->initializers.end()) continue;
    const OnnxValue value = emitter_.constant(read_onnx_tensor(*initializer->second, file_), name);
    if (initializer->second->external) emitter_.allow(4 * value.constant.numel());
    at->values[name] = value;
    return value;
  }
  return std::nullopt;
}

}  // namespace whence::interchange
