#include <fmt/ranges.h>

#include "interchange/script_operators.h"

namespace whence::nn {

std::size_t OperatorCall::index_of(std::string_view argument) const {
  const auto index = node_.schema().argumentIndexWithName(std::string(argument));
  if (!index) throw Obstacle(fmt::format("{} (without the argument {})", place_of(node_), argument));
  return static_cast<std::size_t>(*index);
}

const c10::IValue& OperatorCall::constant(std::string_view argument) const {
  const auto* value = std::get_if<c10::IValue>(&symbol(argument).value);
  require(value != nullptr, "an argument ({}) that is computed from the input", argument);
  return *value;
}

bool OperatorCall::is_layer(std::string_view argument) const {
  return std::holds_alternative<LayerId>(symbol(argument).value);
}

bool OperatorCall::has(std::string_view argument) const {
  return node_.schema().argumentIndexWithName(std::string(argument)).has_value();
}

LayerId OperatorCall::layer(std::string_view argument) const {
  const auto* id = std::get_if<LayerId>(&symbol(argument).value);
  require(id != nullptr, "an argument ({}) that is not computed from the input", argument);
  return *id;
}

LayerId OperatorCall::first_layer() const {
  const auto* id = std::get_if<LayerId>(&arguments_.front().value);
  require(id != nullptr, "a first argument that is not computed from the input");
  return *id;
}

std::vector<LayerId> OperatorCall::layers(std::string_view argument) const {
  const auto* list = std::get_if<std::vector<Symbol>>(&symbol(argument).value);
  require(list != nullptr, "an argument ({}) that is no list of tensors", argument);
  std::vector<LayerId> ids;
  for (const Symbol& item : *list) {
    const auto* id = std::get_if<LayerId>(&item.value);
    require(id != nullptr, "a tensor among {} that is not computed from the input", argument);
    ids.push_back(*id);
  }
  return ids;
}

bool OperatorCall::is_none(std::string_view argument) const {
  const auto* value = std::get_if<c10::IValue>(&symbol(argument).value);
  return value != nullptr && value->isNone();
}

at::Tensor OperatorCall::tensor(std::string_view argument) const {
  const c10::IValue& value = constant(argument);
  require(value.isTensor() && value.toTensor().defined(), "no tensor as {}", argument);
  return value.toTensor();
}

at::Tensor OperatorCall::values(std::string_view argument) const {
  return constant(argument).isTensor() ? tensor(argument) : at::scalar_tensor(number(argument), at::kDouble);
}

std::int64_t OperatorCall::integer(std::string_view argument) const {
  const c10::IValue& value = constant(argument);
  require(value.isInt(), "no whole number as {}", argument);
  return value.toInt();
}

double OperatorCall::number(std::string_view argument) const {
  const c10::IValue& value = constant(argument);
  require(value.isInt() || value.isDouble(), "no number as {}", argument);
  return value.toScalar().toDouble();
}

bool OperatorCall::boolean(std::string_view argument) const {
  const c10::IValue& value = constant(argument);
  require(value.isBool(), "no truth value as {}", argument);
  return value.toBool();
}

bool OperatorCall::is_list(std::string_view argument) const { return constant(argument).isList(); }

bool OperatorCall::is_text(std::string_view argument) const { return constant(argument).isString(); }

std::string OperatorCall::text(std::string_view argument) const {
  const c10::IValue& value = constant(argument);
  require(value.isString(), "no text as {}", argument);
  return value.toStringRef();
}

std::vector<std::int64_t> OperatorCall::integers(std::string_view argument) const {
  const c10::IValue& value = constant(argument);
  require(value.isIntList(), "no list of whole numbers as {}", argument);
  return value.toIntVector();
}

std::vector<double> OperatorCall::numbers(std::string_view argument) const {
  const c10::IValue& value = constant(argument);
  require(value.isDoubleList(), "no list of numbers as {}", argument);
  return value.toDoubleVector();
}

std::vector<c10::IValue> OperatorCall::items(std::string_view argument) const {
  const c10::IValue& value = constant(argument);
  require(value.isList(), "no list as {}", argument);
  return value.toListRef().vec();
}

std::vector<Symbol> OperatorCall::sizes(std::string_view argument) const {
  if (const auto* list = std::get_if<std::vector<Symbol>>(&symbol(argument).value)) return *list;
  std::vector<Symbol> symbols;
  for (const std::int64_t size : integers(argument)) symbols.emplace_back().value = c10::IValue(size);
  return symbols;
}

Extent OperatorCall::extent(std::string_view argument) const {
  const std::vector<std::int64_t> values = integers(argument);
  require(values.size() == 1 || values.size() == 2, "a {} of {} numbers", argument, values.size());
  return {values.front(), values.back()};
}

std::int64_t OperatorCall::square(std::string_view argument) const {
  const std::vector<std::int64_t> values = integers(argument);
  const bool equal = !values.empty() && std::equal(values.begin() + 1, values.end(), values.begin());
  require(equal, "a {} of {}, which is not square", argument, fmt::join(values, "x"));
  return values.front();
}

std::int64_t OperatorCall::dimension(std::string_view argument, LayerId layer) const {
  const std::int64_t value = integer(argument);
  const auto rank = static_cast<std::int64_t>(network_.shape(layer).size()) + 1;
  return value < 0 ? value + rank : value;
}

bool OperatorCall::is_read_once(std::string_view argument) const {
  return node_.inputs()[index_of(argument)]->uses().size() == 1;
}

}  // namespace whence::nn
