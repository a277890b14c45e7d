#include "interchange/pt2_graph.h"

#include <ATen/core/dispatch/Dispatcher.h>
#include <torch/csrc/jit/ir/constants.h>
#include <torch/version.h>

#include "interchange/pt2_json.h"
#include "whence/core/error.h"

namespace whence::interchange {
namespace {

using nlohmann::json;
using torch::jit::Node;

/// What torch.export calls operations on sizes.
const std::map<std::string, std::string>& size_operators() {
  static const std::map<std::string, std::string> names = {
      {"_operator.add", "aten::add"},       {"_operator.sub", "aten::sub"},
      {"_operator.mul", "aten::mul"},       {"_operator.floordiv", "aten::floordiv"},
      {"_operator.mod", "aten::remainder"}, {"_operator.neg", "aten::neg"}};
  return names;
}

const json& no_calls() {
  static const json none = json::array();
  return none;
}

}  // namespace

Pt2Graph::Pt2Graph(std::string file, const json& program, const std::map<std::string, at::Tensor>& tensors)
    : file_(std::move(file)),
      calls_(program.at("graph_module").contains("module_call_graph")
                 ? program.at("graph_module").at("module_call_graph")
                 : no_calls()),
      graph_(program.at("graph_module").at("graph")),
      signature_(program.at("graph_module").at("signature")),
      tensors_(tensors),
      builder_("ExportedProgram"),
      jit_(&builder_.graph()) {}

torch::jit::Module Pt2Graph::build() {
  add_inputs();
  for (const json& node : graph_.at("nodes")) add_node(node);
  return builder_.finish(outputs(), output_names());
}

std::vector<std::string> Pt2Graph::output_names() const {
  if (!calls_.is_array() || calls_.empty()) return {};
  // [version, {"type": "builtins.dict", "context": "[\"logits\", ...]", ...}] as text within JSON
  const json signature = calls_.front().value("signature", json());
  if (!signature.is_object() || !signature.value("out_spec", json()).is_string()) return {};
  const json spec = json::parse(signature.at("out_spec").get<std::string>(), nullptr, false);
  if (!spec.is_array() || spec.size() < 2 || !spec[1].is_object()) return {};
  const json context = spec[1].value("context", json());
  const json keys = context.is_string() ? json::parse(context.get<std::string>(), nullptr, false) : json();
  std::vector<std::string> names;
  if (!keys.is_array()) return {};
  for (const json& key : keys) {
    if (!key.is_string()) return {};
    names.push_back(key.get<std::string>());
  }
  return names;
}

void Pt2Graph::add_attribute(const std::string& argument, const std::string& name, bool parameter) {
  const auto found = tensors_.find(name);
  if (found == tensors_.end()) fail("{} lacks the weight {}; export the model again", file_, name);
  values_[argument] = builder_.add_weight(name, found->second, parameter);
}

void Pt2Graph::add_inputs() {
  std::size_t inputs = 0;
  for (const json& spec : signature_.at("input_specs")) {
    const auto& [kind, entry] = only_entry(spec);
    if (kind == "parameter") {
      add_attribute(entry.at("arg").at("name"), entry.at("parameter_name"), true);
    } else if (kind == "buffer") {
      add_attribute(entry.at("arg").at("name"), entry.at("buffer_name"), false);
    } else if (kind == "tensor_constant") {
      add_attribute(entry.at("arg").at("name"), entry.at("tensor_constant_name"), false);
    } else if (kind == "user_input") {
      const auto& [type, argument] = only_entry(entry.at("arg"));
      if (type != "as_tensor")
        fail("{} takes an input that is no tensor; export a model of one image", file_);
      if (++inputs > 1) fail("{} takes several inputs; export a model of one image", file_);
      const std::string name = argument.at("name").get<std::string>();
      values_[name] = builder_.add_input();
      tell_shape(graph_.at("tensor_values").at(name));
    } else if (kind != "constant_input") {
      fail("{} takes an input of the kind {}, which whence does not know; export a model of one image", file_,
           kind);
    }
  }
  if (inputs == 0) fail("{} takes no input; export a model of one image", file_);
}

void Pt2Graph::tell_shape(const json& meta) {
  std::vector<std::int64_t> shape;
  const json& sizes = meta.at("sizes");
  for (std::size_t i = 1; i < sizes.size(); ++i) {
    if (!sizes[i].contains("as_int")) return;
    shape.push_back(sizes[i].at("as_int").get<std::int64_t>());
  }
  builder_.tell_shape(shape);
}

std::string Pt2Graph::place_of(const json& node) {
  std::string place = node.at("target").get<std::string>();
  const json& metadata = node.value("metadata", json::object());
  const std::string stack = metadata.value("nn_module_stack", "");
  const std::string last = stack.substr(stack.rfind(';') + 1);  // "key,features.3,torch.nn...GELU"
  const auto first_comma = last.find(','), second_comma = last.find(',', first_comma + 1);
  if (second_comma == std::string::npos) return place;
  const std::string layer = last.substr(first_comma + 1, second_comma - first_comma - 1);
  return layer.empty() ? place : fmt::format("{} of the layer '{}'", place, layer);
}

void Pt2Graph::add_node(const json& node) {
  const std::string target = node.at("target").get<std::string>();
  constexpr std::string_view prefix = "torch.ops.";
  if (const auto found = size_operators().find(target); found != size_operators().end()) {
    std::vector<Value*> inputs;
    for (const json& input : node.at("inputs"))
      inputs.push_back(value_of(input.at("arg"), c10::IntType::get()));
    Node* added = jit_->insertNode(jit_->create(c10::Symbol::fromQualString(found->second), inputs, 1));
    added->output()->setType(c10::IntType::get());
    return name_outputs(node.at("outputs"), added->outputs());
  }
  const auto dot = target.rfind('.');
  if (!target.starts_with(prefix) || dot <= prefix.size())
    fail("{} uses {}, which is no operator of PyTorch; export the model without it", file_, place_of(node));
  std::string name = target.substr(prefix.size(), dot - prefix.size());  // "aten.conv2d"
  const std::string overload = target.substr(dot + 1);
  name.replace(name.find('.'), 1, "::");
  if (name.starts_with("higher_order"))
    fail(
        "{} uses {}, a part that runs in a mode of its own (torch.no_grad, a condition); export the model "
        "without "
        "it",
        file_, place_of(node));
  add_operator(node, name, overload == "default" ? "" : overload);
}

void Pt2Graph::add_operator(const json& node, const std::string& name, const std::string& overload) {
  const bool size = name == "aten::sym_size";
  // View fails on channels-last memory, where reshape copies.
  const std::string called = size                                                   ? "aten::size"
                             : name == "aten::view" || name == "aten::_unsafe_view" ? "aten::reshape"
                                                                                    : name;
  const std::string variant = called == "aten::reshape" ? "" : overload;
  const auto handle = c10::Dispatcher::singleton().findSchema({called, variant});
  if (!handle && called == "aten::scaled_dot_product_attention") return add_attention(node);
  if (!handle)
    fail(
        "{} uses {}, which this LibTorch ({}) does not know; use a newer one, or export the model without it",
        file_, place_of(node), TORCH_VERSION);
  std::map<std::string, const json*> given;
  for (const json& input : node.at("inputs")) given[input.at("name").get<std::string>()] = &input.at("arg");
  if (called == "aten::reshape" && given.contains("size")) given["shape"] = given["size"];
  std::vector<Value*> inputs;
  for (const c10::Argument& argument : handle->schema().arguments()) {
    const auto found = given.find(argument.name());
    const auto& preset = argument.default_value();
    if (found != given.end()) {
      inputs.push_back(value_of(*found->second, argument.type()));
    } else if (preset) {
      inputs.push_back(jit_->insertConstant(*preset));
    } else {
      fail("{} calls {} without its argument {}; export the model again", file_, place_of(node),
           argument.name());
    }
  }
  Node* added = builder_.call(handle->schema(), inputs);
  if (added == nullptr)
    fail("{} uses {} in a way that this LibTorch ({}) does not know; use a newer one", file_, place_of(node),
         TORCH_VERSION);
  refuse_random(node, *added);
  refuse_learning(node, *added);
  name_outputs(node.at("outputs"), added->outputs());
}

void Pt2Graph::refuse_random(const json& node, const Node& added) const {
  const std::string name = added.kind().toUnqualString();
  if (!added.isNondeterministic() && name.find("dropout") == std::string::npos) return;
  const auto& arguments = added.schema().arguments();
  for (std::size_t i = 0; i < arguments.size(); ++i) {  // what drops nothing is not random
    const auto constant = torch::jit::toIValue(added.inputs()[i]);
    if (!constant) continue;
    if (arguments[i].name() == "train" && constant->isBool() && !constant->toBool()) return;
    if (arguments[i].name() == "dropout_p" && constant->isDouble() && constant->toDouble() == 0) return;
  }
  fail(
      "the answer of {} is random: {} draws new numbers at every call; call model.eval() before "
      "torch.export.export",
      file_, place_of(node));
}

void Pt2Graph::refuse_learning(const json& node, const Node& added) const {
  bool learns = false;
  const auto& arguments = added.schema().arguments();
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const Value* value = added.inputs()[i];
    const bool written = arguments[i].alias_info() != nullptr && arguments[i].alias_info()->isWrite();
    learns = learns || (written && value->node()->kind() == c10::prim::GetAttr);
    const auto constant = torch::jit::toIValue(value);
    const bool trains =
        arguments[i].name() == "training" && constant && constant->isBool() && constant->toBool();
    learns = learns || (trains && added.kind() == c10::aten::batch_norm);
  }
  if (learns)
    fail("{} changes its own weights when it is called ({}); call model.eval() before torch.export.export",
         file_, place_of(node));
}

void Pt2Graph::name_outputs(const json& outputs, at::ArrayRef<Value*> results) {
  if (outputs.size() == 1 && outputs.front().contains("as_tensors")) {
    const json& items = outputs.front().at("as_tensors");
    Node* unpacked = jit_->insertNode(jit_->createListUnpack(results.front(), items.size()));
    for (std::size_t i = 0; i < items.size(); ++i)
      values_[items[i].at("name").get<std::string>()] = unpacked->outputs()[i];
    return;
  }
  if (outputs.size() > results.size())
    throw std::runtime_error("an operator with more results than it has: " + outputs.dump());
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    const auto& [kind, value] = only_entry(outputs[i]);
    if (kind == "as_none") continue;
    const std::string symbol = symbol_in(value);
    values_[symbol.empty() ? value.at("name").get<std::string>() : symbol] = results[i];
  }
}

std::vector<torch::jit::Value*> Pt2Graph::outputs() const {
  std::vector<Value*> results;
  for (const json& spec : signature_.at("output_specs")) {
    const auto& [kind, entry] = only_entry(spec);
    if (kind == "buffer_mutation" || kind == "parameter_mutation")
      fail("{} changes its own {} when it is called; call model.eval() before torch.export.export", file_,
           entry.value("buffer_name", entry.value("parameter_name", "weights")));
    if (kind != "user_output") continue;  // what it writes into its input is of no concern: it gets a copy
    const auto& [type, value] = only_entry(entry.at("arg"));
    if (type == "as_tensor") results.push_back(named(value.at("name").get<std::string>()));
  }
  if (results.empty()) fail("{} returns no tensor; export a model that returns its scores", file_);
  return results;
}

}  // namespace whence::interchange
