// What the operators of a .pt2 file are called with.
#include <array>

#include "interchange/pt2_graph.h"
#include "interchange/pt2_json.h"
#include "interchange/pt2_tensors.h"

#include <torch/csrc/jit/ir/constants.h>

namespace whence::interchange {
namespace {

using nlohmann::json;

/// Everything runs in float32.
at::ScalarType running_type(at::ScalarType type) { return c10::isFloatingType(type) ? at::kFloat : type; }

c10::TypePtr without_optional(const c10::TypePtr& type) {
  const auto optional = type->cast<c10::OptionalType>();
  return optional ? optional->getElementType() : type;
}

at::Tensor wrapped(const c10::Scalar& number) {
  at::Tensor tensor = c10::scalar_to_tensor(number);
  tensor.unsafeGetTensorImpl()->set_wrapped_number(true);
  return tensor;
}

}  // namespace

Pt2Graph::Value* Pt2Graph::named(const std::string& name) const {
  const auto found = values_.find(name);
  if (found == values_.end()) throw std::runtime_error("it reads " + name + ", which nothing computes");
  return found->second;
}

std::optional<c10::IValue> Pt2Graph::constant_of(const std::string& kind, const json& value,
                                                 const c10::TypePtr& type) const {
  const bool as_number = type->kind() == c10::TypeKind::FloatType;
  if (kind == "as_none") return c10::IValue();
  if (kind == "as_int")
    return as_number ? c10::IValue(value.get<double>()) : c10::IValue(value.get<std::int64_t>());
  if (kind == "as_float")
    return c10::IValue(value.is_string() ? std::stod(value.get<std::string>()) : value.get<double>());
  if (kind == "as_bool") return c10::IValue(value.get<bool>());
  if (kind == "as_string") return c10::IValue(value.get<std::string>());
  if (kind == "as_ints") return c10::IValue(value.get<std::vector<std::int64_t>>());
  if (kind == "as_floats") return c10::IValue(value.get<std::vector<double>>());
  if (kind == "as_bools") return c10::IValue(value.get<std::vector<bool>>());
  if (kind == "as_scalar_type")
    return c10::IValue(
        static_cast<std::int64_t>(running_type(scalar_type_of(value.get<std::int64_t>(), file_))));
  if (kind == "as_memory_format") {  // torch.export counts from "unknown"
    constexpr std::array formats = {at::MemoryFormat::Contiguous, at::MemoryFormat::Contiguous,
                                    at::MemoryFormat::ChannelsLast, at::MemoryFormat::ChannelsLast3d,
                                    at::MemoryFormat::Preserve};
    return c10::IValue(static_cast<std::int64_t>(formats.at(value.get<std::size_t>())));
  }
  if (kind == "as_layout") return c10::IValue(static_cast<std::int64_t>(at::kStrided));
  if (kind == "as_device") return c10::IValue(at::Device(at::kCPU));
  return std::nullopt;
}

Pt2Graph::Value* Pt2Graph::list_of(const json& items, const c10::TypePtr& element) {
  std::vector<Value*> values;
  for (const json& item : items) {
    if (element->kind() == c10::TypeKind::IntType) {
      const std::string symbol = symbol_in(item);
      values.push_back(symbol.empty() ? jit_->insertConstant(number_in(item)) : named(symbol));
    } else if (item.contains("name")) {
      values.push_back(named(item.at("name").get<std::string>()));
    } else {  // of optional tensors
      const auto& [kind, value] = only_entry(item);
      values.push_back(kind == "as_none" ? jit_->insertConstant(c10::IValue())
                                         : named(value.at("name").get<std::string>()));
    }
  }
  return jit_->insertNode(jit_->createList(element, values))->output();
}

Pt2Graph::Value* Pt2Graph::value_of(const json& argument, const c10::TypePtr& declared) {
  const c10::TypePtr type = without_optional(declared);
  const auto& [kind, value] = only_entry(argument);
  if (kind == "as_tensor" || kind == "as_optional_tensor") {
    if (value.contains("name")) return named(value.at("name").get<std::string>());
    return value_of(value, declared);
  }
  if (kind == "as_sym_int" || kind == "as_sym_bool" || kind == "as_sym_float") {
    const std::string symbol = symbol_in(value);
    return symbol.empty() ? value_of(value, declared) : named(symbol);
  }
  if (kind == "as_tensors" || kind == "as_optional_tensors" || kind == "as_sym_ints") {
    const auto list = type->cast<c10::ListType>();
    if (!list) throw std::runtime_error("it passes a list where one value is expected");
    return list_of(value, list->getElementType());
  }
  const std::optional<c10::IValue> constant = constant_of(kind, value, type);
  if (!constant)
    throw std::runtime_error("it passes an argument of the kind " + kind + ", which whence does not know");
  // A number where the operator takes a tensor, as Python allows it.
  if (type->kind() == c10::TypeKind::TensorType && constant->isScalar())
    return jit_->insertConstant(wrapped(constant->toScalar()));
  return jit_->insertConstant(*constant);
}

}  // namespace whence::interchange
