#include "interchange/onnx_emitter.h"

#include <ATen/core/dispatch/Dispatcher.h>
#include <fmt/core.h>
#include <torch/version.h>

namespace whence::interchange {
namespace {

constexpr std::size_t kMostDimensions = 16;

c10::OperatorHandle operator_named(const std::string& name) {
  const std::size_t dot = name.find('.');
  const std::string overload = dot == std::string::npos ? "" : name.substr(dot + 1);
  const auto handle = c10::Dispatcher::singleton().findSchema({name.substr(0, dot), overload});
  if (!handle)
    throw OnnxProblem(fmt::format("needs {}, which this LibTorch ({}) does not know", name, TORCH_VERSION));
  return *handle;
}

bool is_fixed(const OnnxArgument& argument) {
  if (const auto* value = std::get_if<OnnxValue>(&argument.content())) return value->is_constant();
  if (const auto* sizes = std::get_if<OnnxSizes>(&argument.content())) return !has_batch(*sizes);
  if (const auto* values = std::get_if<std::vector<OnnxValue>>(&argument.content()))
    return std::all_of(values->begin(), values->end(), [](const OnnxValue& v) { return v.is_constant(); });
  return true;
}

/// Whether a result's number takes more than a few steps.
bool takes_work(const std::string& name) {
  for (const char* part : {"conv", "linear", "matmul", "einsum", "pool"})
    if (name.find(part) != std::string::npos) return true;
  return false;
}

/// How many numbers the largest argument has.
double largest_in(const std::vector<OnnxArgument>& arguments) {
  double largest = 1;
  const auto compare = [&](const OnnxValue& value) {
    largest = std::max(largest, static_cast<double>(value.constant.numel()));
  };
  for (const OnnxArgument& argument : arguments) {
    if (const auto* value = std::get_if<OnnxValue>(&argument.content())) compare(*value);
    if (const auto* values = std::get_if<std::vector<OnnxValue>>(&argument.content()))
      std::for_each(values->begin(), values->end(), compare);
  }
  return largest;
}

c10::TypePtr element_of(const c10::TypePtr& type) {
  const auto list = type->cast<c10::ListType>();
  TORCH_CHECK(list, "a list where ", type->str(), " is expected");
  return list->getElementType();
}

/// As the attributes of TorchScript modules may be called.
std::string plain_name(std::string name) {
  for (char& letter : name) {
    const bool known = (letter >= '0' && letter <= '9') || (letter >= 'a' && letter <= 'z') ||
                       (letter >= 'A' && letter <= 'Z') || letter == '_' || letter == '.';
    if (!known) letter = '_';
  }
  return name;
}

}  // namespace

OnnxValue OnnxEmitter::add_input(const std::vector<std::int64_t>& sample) {
  input_ = builder_.add_input();
  OnnxValue value;
  value.computed = input_;
  value.sizes = {{1, true}};
  for (const std::int64_t size : sample) value.sizes.push_back({size});
  elements_of(value.sizes);
  return value;
}

OnnxValue OnnxEmitter::emit(const std::string& name, const std::vector<OnnxArgument>& arguments,
                            OnnxSizes sizes, at::ScalarType type) {
  const c10::OperatorHandle handle = operator_named(name);
  const c10::FunctionSchema& schema = handle.schema();
  elements_of(sizes);
  if (sizes.size() > kMostDimensions) throw OnnxProblem("has a result of too many dimensions");
  if (std::all_of(arguments.begin(), arguments.end(), is_fixed)) return fold(schema, arguments, sizes, type);
  std::vector<Value*> inputs;
  for (std::size_t i = 0; i < schema.arguments().size(); ++i) {
    const c10::Argument& formal = schema.arguments()[i];
    if (i < arguments.size()) {
      inputs.push_back(inserted(arguments[i], formal.type()));
    } else {
      TORCH_CHECK(formal.default_value(), name, " without its argument ", formal.name());
      inputs.push_back(builder_.graph().insertConstant(*formal.default_value()));
    }
  }
  const torch::jit::Node* node = builder_.call(schema, inputs);
  if (node == nullptr)
    throw OnnxProblem(
        fmt::format("needs {} in a way that this LibTorch ({}) does not know", name, TORCH_VERSION));
  OnnxValue result;
  result.computed = const_cast<Value*>(node->outputs()[0]);
  result.sizes = std::move(sizes);
  result.type = type;
  return result;
}

void OnnxEmitter::spend(std::int64_t numbers) {
  if (numbers > constants_left_) throw OnnxProblem("computes more constants than a model needs");
  constants_left_ -= numbers;
}

OnnxValue OnnxEmitter::fold(const c10::FunctionSchema& schema, const std::vector<OnnxArgument>& arguments,
                            const OnnxSizes& sizes, at::ScalarType type) {
  const std::int64_t count = elements_of(sizes).count;
  spend(count);
  if (takes_work(schema.name())) work_left_ -= static_cast<double>(count) * largest_in(arguments);
  if (work_left_ < 0) throw OnnxProblem("computes more constants than a model needs");
  torch::jit::Stack stack;
  for (std::size_t i = 0; i < schema.arguments().size(); ++i) {
    const c10::Argument& formal = schema.arguments()[i];
    stack.push_back(i < arguments.size() ? folded(arguments[i], formal.type()) : *formal.default_value());
  }
  c10::Dispatcher::singleton()
      .findSchemaOrThrow(schema.name().c_str(), schema.overload_name().c_str())
      .callBoxed(&stack);
  const at::Tensor result = stack.front().toTensor();
  TORCH_CHECK(counts_of(sizes) == result.sizes().vec(), schema.name(), " gives ", result.sizes(),
              " instead of ", text_of(sizes));
  return constant(result.to(type).contiguous());
}

c10::IValue OnnxEmitter::folded(const OnnxArgument& argument, const c10::TypePtr& type) const {
  if (const auto* value = std::get_if<OnnxValue>(&argument.content())) return value->constant;
  if (const auto* sizes = std::get_if<OnnxSizes>(&argument.content())) return *counts_of(*sizes);
  if (const auto* values = std::get_if<std::vector<OnnxValue>>(&argument.content())) {
    c10::impl::GenericList list(element_of(type));
    for (const OnnxValue& value : *values) list.push_back(value.constant);
    return list;
  }
  return std::get<c10::IValue>(argument.content());
}

OnnxEmitter::Value* OnnxEmitter::inserted(const OnnxArgument& argument, const c10::TypePtr& type) {
  if (const auto* value = std::get_if<OnnxValue>(&argument.content())) return value_of(*value);
  if (const auto* sizes = std::get_if<OnnxSizes>(&argument.content())) return value_of(*sizes);
  if (const auto* values = std::get_if<std::vector<OnnxValue>>(&argument.content())) {
    std::vector<Value*> items;
    for (const OnnxValue& value : *values) items.push_back(value_of(value));
    return builder_.graph().insertNode(builder_.graph().createList(element_of(type), items))->output();
  }
  return builder_.graph().insertConstant(std::get<c10::IValue>(argument.content()));
}

OnnxEmitter::Value* OnnxEmitter::value_of(const OnnxSizes& sizes) {
  if (const auto counts = counts_of(sizes)) return builder_.graph().insertConstant(*counts);
  torch::jit::Graph& graph = builder_.graph();
  const auto number = [&](const char* symbol, const std::vector<Value*>& inputs) {
    Value* result = graph.insertNode(graph.create(c10::Symbol::fromQualString(symbol), inputs, 1))->output();
    return result->setType(c10::IntType::get());
  };
  if (samples_ == nullptr) samples_ = number("aten::size", {input_, graph.insertConstant(0)});
  std::vector<Value*> items;
  for (const OnnxSize& size : sizes) {
    Value* count = graph.insertConstant(size.count);
    items.push_back(!size.batch       ? count
                    : size.count == 1 ? samples_
                                      : number("aten::mul", {samples_, count}));
  }
  return graph.insertNode(graph.createList(c10::IntType::get(), items))->output();
}

OnnxEmitter::Value* OnnxEmitter::value_of(const OnnxValue& value) {
  if (value.computed != nullptr) return value.computed;
  if (value.numbers)
    throw OnnxProblem("computes with the number of samples, so that answers would depend on it");
  const std::string name = name_of(value);
  Value* weight = weight_of(value.constant, name.empty() ? "constant" : name, false);
  if (value.constant.numel() == 1) numbers_[weight] = value.constant.item<double>();
  return weight;
}

std::optional<double> OnnxEmitter::number(const Value* value) const {
  const auto found = numbers_.find(value);
  return found == numbers_.end() ? std::nullopt : std::optional(found->second);
}

OnnxEmitter::Value* OnnxEmitter::weight_of(const at::Tensor& tensor, const std::string& name,
                                           bool parameter) {
  if (tensor.dim() == 0) return builder_.graph().insertConstant(tensor);
  Value*& value = weights_[tensor.unsafeGetTensorImpl()];
  if (value == nullptr)
    value = builder_.add_weight(free_name(name), tensor, parameter && tensor.is_floating_point());
  return value;
}

std::string OnnxEmitter::free_name(const std::string& wanted) {
  const std::string plain = plain_name(wanted);
  std::string name = plain;
  for (int i = 2; !taken_.insert(name).second; ++i) name = fmt::format("{}_{}", plain, i);
  return name;
}

OnnxValue OnnxEmitter::constant(const at::Tensor& tensor, const std::string& name) {
  OnnxValue value;
  value.constant = tensor;
  value.sizes = fixed_sizes(tensor.sizes().vec());
  value.type = tensor.scalar_type();
  if (!name.empty()) names_[tensor.unsafeGetTensorImpl()] = name;
  return value;
}

std::string OnnxEmitter::name_of(const OnnxValue& constant) const {
  const auto found = names_.find(constant.constant.unsafeGetTensorImpl());
  return found == names_.end() ? "" : found->second;
}

void OnnxEmitter::name_weight(const OnnxValue& constant, const std::string& name) {
  const std::string own = name_of(constant);
  weight_of(constant.constant, own.find('.') == std::string::npos ? name : own, true);
}

torch::jit::Module OnnxEmitter::finish(const std::vector<OnnxValue>& outputs,
                                       const std::vector<std::string>& names) {
  std::vector<Value*> values;
  for (const OnnxValue& output : outputs) values.push_back(value_of(output));
  return builder_.finish(values, names);
}

}  // namespace whence::interchange
