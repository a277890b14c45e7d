#include "interchange/onnx_call.h"

#include <limits>

namespace whence::interchange {
namespace {

constexpr std::int64_t kMostListed = 1 << 20;

}  // namespace

std::string onnx_layer(const OnnxNode& node) {
  std::string_view rest = node.name.empty() && !node.outputs.empty() ? node.outputs.front() : node.name;
  std::vector<std::string> parts;
  while (!rest.empty()) {
    const std::size_t slash = std::min(rest.find('/'), rest.size());
    const std::string part(rest.substr(0, slash));
    rest.remove_prefix(std::min(slash + 1, rest.size()));
    if (part.empty()) continue;
    // PyTorch repeats the path of a container: layer1/layer1.0
    if (!parts.empty() && part.starts_with(parts.back() + ".")) parts.pop_back();
    parts.push_back(part);
  }
  if (parts.size() > 1) parts.pop_back();  // the operator
  std::string layer;
  for (const std::string& part : parts) layer += (layer.empty() ? "" : ".") + part;
  return layer.empty() ? node.operation : layer;
}

const OnnxValue& OnnxCall::given(std::size_t i) const {
  if (i >= inputs_.size()) problem("lacks its input {}", i + 1);
  const std::optional<OnnxValue>& value = inputs_[i];
  if (!value.has_value()) problem("lacks its input {}", i + 1);
  return *value;
}

const OnnxValue& OnnxCall::input(std::size_t i) const {
  const OnnxValue& value = given(i);
  if (!value.sequence.empty()) problem("has a sequence as its input {}, where whence needs a tensor", i + 1);
  return value;
}

const std::vector<OnnxValue>& OnnxCall::sequence(std::size_t i) const {
  const std::vector<OnnxValue>& sequence = given(i).sequence;
  if (sequence.empty()) problem("has no sequence as its input {}", i + 1);
  return sequence;
}

std::vector<OnnxValue> OnnxCall::all() const {
  std::vector<OnnxValue> values;
  for (std::size_t i = 0; i < inputs_.size(); ++i) values.push_back(input(i));
  if (values.empty()) problem("has no input");
  return values;
}

const at::Tensor& OnnxCall::constant(std::size_t i) const {
  const OnnxValue& value = input(i);
  if (!value.is_constant())
    problem("computes its input {} from the image, where whence needs a constant", i + 1);
  return value.constant;
}

std::vector<std::int64_t> OnnxCall::whole_numbers(std::size_t i) const {
  const at::Tensor& tensor = constant(i);
  if (tensor.scalar_type() != at::kLong || tensor.dim() > 1 || tensor.numel() > kMostListed)
    problem("has an input {} that is no list of whole numbers", i + 1);
  const at::Tensor flat = tensor.reshape({-1}).contiguous();
  const auto* numbers = flat.data_ptr<std::int64_t>();
  return {numbers, numbers + flat.numel()};
}

OnnxSizes OnnxCall::numbers(std::size_t i) const {
  const OnnxValue& value = input(i);
  return value.numbers ? *value.numbers : fixed_sizes(whole_numbers(i));
}

const OnnxAttribute* OnnxCall::find(std::string_view name) const {
  for (const OnnxAttribute& attribute : node_.attributes)
    if (attribute.name == name) return &attribute;
  return nullptr;
}

std::int64_t OnnxCall::integer(std::string_view name, std::int64_t otherwise) const {
  const OnnxAttribute* attribute = find(name);
  return attribute == nullptr ? otherwise : attribute->integer;
}

double OnnxCall::real(std::string_view name, double otherwise) const {
  const OnnxAttribute* attribute = find(name);
  return attribute == nullptr ? otherwise : static_cast<double>(attribute->real);
}

std::string OnnxCall::text(std::string_view name, std::string_view otherwise) const {
  const OnnxAttribute* attribute = find(name);
  return attribute == nullptr ? std::string(otherwise) : attribute->text;
}

std::vector<std::int64_t> OnnxCall::integers(std::string_view name,
                                             std::vector<std::int64_t> otherwise) const {
  const OnnxAttribute* attribute = find(name);
  return attribute == nullptr ? otherwise : attribute->integers;
}

std::vector<float> OnnxCall::reals(std::string_view name) const {
  const OnnxAttribute* attribute = find(name);
  return attribute == nullptr ? std::vector<float>() : attribute->reals;
}

std::optional<std::vector<std::int64_t>> OnnxCall::listed(std::string_view attribute, std::size_t i) const {
  if (has_attribute(attribute)) return integers(attribute);
  if (has(i)) return whole_numbers(i);
  return std::nullopt;
}

void OnnxCall::name_weight(const OnnxValue& weight, const char* role) {
  if (weight.is_constant()) emitter_.name_weight(weight, onnx_layer(node_) + "." + role);
}

}  // namespace whence::interchange
