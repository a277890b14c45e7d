#include "interchange/script_reader.h"

#include <torch/csrc/jit/ir/constants.h>

#include "interchange/script_answer.h"
#include "interchange/script_columns.h"
#include "interchange/script_operators.h"
#include "whence/core/error.h"

namespace whence::nn {
namespace {

using torch::jit::Block;
using torch::jit::Node;
using torch::jit::Value;

const c10::IValue* constant_in(const Symbol& symbol) { return std::get_if<c10::IValue>(&symbol.value); }
const std::vector<Symbol>* list_in(const Symbol& symbol) {
  return std::get_if<std::vector<Symbol>>(&symbol.value);
}

bool all_constant(const std::vector<Symbol>& symbols) {
  return std::all_of(symbols.begin(), symbols.end(),
                     [](const Symbol& s) { return constant_in(s) != nullptr; });
}

std::size_t index_in(const std::vector<Symbol>& list, const c10::IValue& index, const Node& node) {
  const auto size = static_cast<std::int64_t>(list.size());
  const std::int64_t i = index.toInt() < 0 ? index.toInt() + size : index.toInt();
  if (i < 0 || i >= size)
    throw Obstacle(place_of(node) + " reads element " + std::to_string(i) + " of a list");
  return static_cast<std::size_t>(i);
}

/// "aten::relu" for "aten::relu_".
std::string name_without_underscore(const Node& node) {
  std::string name = node.kind().toQualString();
  const auto* schema = node.maybeSchema();
  if (schema != nullptr && schema->is_mutable() && name.ends_with('_') && !name.ends_with("__"))
    name.pop_back();
  return name;
}

/// A replacement of `before` by `after` inside a symbol: what in-place operations do to everyone who holds
/// the tensor.
void replace_in(Symbol& symbol, LayerId before, LayerId after) {
  if (auto* id = std::get_if<LayerId>(&symbol.value)) {
    if (*id == before) *id = after;
  } else if (auto* list = std::get_if<std::vector<Symbol>>(&symbol.value)) {
    for (Symbol& item : *list) replace_in(item, before, after);
  }
}

void append_layers(const Symbol& symbol, std::vector<LayerId>& layers) {
  if (const auto* id = std::get_if<LayerId>(&symbol.value)) {
    layers.push_back(*id);
  } else if (const auto* list = list_in(symbol)) {
    for (const Symbol& item : *list) append_layers(item, layers);
  } else if (const auto* value = constant_in(symbol); value == nullptr || !value->isNone()) {
    throw Obstacle("an output that is not computed from the input");
  }
}

}  // namespace

std::string place_of(const Node& node) {
  torch::jit::SourceRange range = node.sourceRange();
  if (const auto origin = range.findSourceRangeThatGenerated()) range = *origin;
  std::string place = node.kind().toQualString();
  if (const auto position = range.file_line_col()) {
    place += fmt::format(" at {}:{}", std::get<0>(*position), std::get<1>(*position));
  }
  if (!range.source()) return place;
  const std::string line = range.source()->get_line(range.source()->lineno_for_offset(range.start())).str();
  constexpr std::string_view blank = " \t\r\n";
  const std::size_t begin = line.find_first_not_of(blank);
  if (begin == std::string::npos) return place;
  return fmt::format("{} ({})", place, line.substr(begin, line.find_last_not_of(blank) + 1 - begin));
}

std::vector<LayerId> GraphReader::read(const torch::jit::Graph& graph, const std::string& entry) {
  if (graph.inputs().size() != 2) {
    throw Obstacle(fmt::format("a forward method with {} inputs instead of one", graph.inputs().size() - 1));
  }
  known_[graph.inputs()[1]] = {LayerId{0}};
  read(*graph.block());
  std::vector<LayerId> layers;
  for (const Value* answer : graph.outputs()) {
    const Value* output = chosen_value(answer, entry);
    if (output == nullptr)
      throw Obstacle(fmt::format("an answer whose entry '{}' its code does not show", entry));
    append_layers(symbols_of({output}).front(), layers);
  }
  if (layers.empty()) throw Obstacle("a forward method that returns nothing");
  return layers;
}

void GraphReader::read(const Block& block) {
  for (const Node* node : block.nodes()) {
    try {
      read(*node);
    } catch (const Obstacle&) {
      throw;
    } catch (const Error& error) {
      throw Obstacle(place_of(*node) + ": " + error.what());
    } catch (const std::exception&) {  // in LibTorch
      throw Obstacle(place_of(*node) + " with arguments that it does not take");
    }
  }
}

void GraphReader::read(const Node& node) {
  namespace prim = c10::prim;
  if (node.kind() == prim::Constant) {
    // A None is a constant without a value.
    const auto value = torch::jit::toIValue(node.output());
    return set(node, {value ? c10::IValue(*value) : c10::IValue()});
  }
  if (node.kind() == prim::If) return read_branch(node);
  if (node.kind() == c10::aten::warn) return;
  const std::vector<Symbol> inputs = symbols_of(node.inputs());
  if (node.kind() == prim::ListConstruct) return make_list(node, inputs);
  if (node.kind() == prim::TupleConstruct || node.kind() == prim::DictConstruct) return set(node, {inputs});
  if (node.kind() == prim::ListUnpack || node.kind() == prim::TupleUnpack)
    return unpack(node, inputs.front());
  if (node.kind() == prim::unchecked_cast) return set(node, inputs.front());
  if (read_size(node, inputs) || read_constant(node, inputs) || read_append(node, inputs) ||
      read_parts(node, inputs) || read_layer(node, inputs))
    return;
  throw Obstacle(place_of(node));
}

void GraphReader::read_branch(const Node& node) {
  const Symbol& condition = known_.at(node.input());
  const auto* value = constant_in(condition);
  if (value == nullptr || !value->isBool()) throw Obstacle(place_of(node) + " depends on the input's values");
  const Block& taken = *node.blocks()[value->toBool() ? 0 : 1];
  read(taken);
  for (std::size_t i = 0; i < node.outputs().size(); ++i) {
    known_[node.outputs()[i]] = symbols_of(taken.outputs())[i];
  }
}

void GraphReader::make_list(const Node& node, const std::vector<Symbol>& inputs) {
  if (!all_constant(inputs)) return set(node, {inputs});
  c10::impl::GenericList list(node.output()->type()->expectRef<c10::ListType>().getElementType());
  for (const Symbol& input : inputs) list.push_back(*constant_in(input));
  set(node, {c10::IValue(list)});
}

void GraphReader::unpack(const Node& node, const Symbol& sequence) {
  std::vector<Symbol> items;
  if (const auto* list = list_in(sequence)) {
    items = *list;
  } else if (const auto* value = constant_in(sequence); value != nullptr && value->isTuple()) {
    for (const c10::IValue& item : value->toTupleRef().elements()) items.emplace_back().value = item;
  } else if (value != nullptr && value->isList()) {
    for (const c10::IValue& item : value->toListRef()) items.emplace_back().value = item;
  }
  if (items.size() != node.outputs().size()) throw Obstacle(place_of(node));
  for (std::size_t i = 0; i < items.size(); ++i) known_[node.outputs()[i]] = items[i];
}

bool GraphReader::read_size(const Node& node, const std::vector<Symbol>& inputs) {
  const std::string_view kind = node.kind().toQualString();
  if (inputs.empty()) return false;
  const Symbol& first = inputs.front();
  if (const auto* id = std::get_if<LayerId>(&first.value)) {
    std::vector<Symbol> sizes = {{BatchSize{}}};
    for (const std::int64_t size : network_.shape(*id)) sizes.emplace_back().value = c10::IValue(size);
    if (kind == "aten::dim") {
      set(node, {c10::IValue(static_cast<std::int64_t>(sizes.size()))});
    } else if (kind == "aten::size" && inputs.size() == 1) {
      set(node, {sizes});
    } else if (kind == "aten::size" && constant_in(inputs[1]) != nullptr) {
      set(node, sizes[index_in(sizes, *constant_in(inputs[1]), node)]);
    } else {
      return false;
    }
    return true;
  }
  // Traces carry sizes through tensors.
  const bool batch = std::holds_alternative<BatchSize>(first.value);
  if (batch && (kind == "prim::NumToTensor" || kind == "aten::Int" || kind == "aten::IntImplicit")) {
    set(node, first);
    return true;
  }
  if (kind == "aten::list_with_default" && constant_in(first) != nullptr) {  // of adaptive pooling
    set(node, first);
    return true;
  }
  if (const auto* list = list_in(first)) {
    if (kind == "aten::len") {
      set(node, {c10::IValue(static_cast<std::int64_t>(list->size()))});
      return true;
    }
    if ((kind == "aten::__getitem__" || kind == "prim::TupleIndex") && constant_in(inputs[1]) != nullptr) {
      set(node, (*list)[index_in(*list, *constant_in(inputs[1]), node)]);
      return true;
    }
  }
  return false;
}

bool GraphReader::read_constant(const Node& node, const std::vector<Symbol>& inputs) {
  const auto* schema = node.maybeSchema();
  const bool pure = schema != nullptr && !schema->is_mutable() && !node.hasSideEffects() &&
                    !node.isNondeterministic() && node.blocks().empty();
  if (!pure || !all_constant(inputs)) return false;
  torch::jit::Stack stack;
  for (const Symbol& input : inputs) stack.push_back(*constant_in(input));
  if (schema->is_vararg()) stack.emplace_back(static_cast<std::int64_t>(inputs.size()));
  node.getOperation()(stack);
  for (std::size_t i = 0; i < node.outputs().size(); ++i) known_[node.outputs()[i]] = {stack.at(i)};
  return true;
}

/// Only the name that the list is appended to sees it grow; where code has two names for one list, the comparison of answers tells.
bool GraphReader::read_append(const Node& node, const std::vector<Symbol>& inputs) {
  if (node.kind() != c10::aten::append) return false;
  std::vector<Symbol> items;
  if (const auto* list = list_in(inputs.front())) {
    items = *list;
  } else if (const auto* value = constant_in(inputs.front()); value != nullptr && value->isList()) {
    for (const c10::IValue& item : value->toListRef()) items.emplace_back().value = item;
  }
  items.push_back(inputs.back());
  known_[node.inputs()[0]] = {items};
  set(node, {items});
  return true;
}

bool GraphReader::read_parts(const Node& node, const std::vector<Symbol>& inputs) {
  if (node.maybeSchema() == nullptr || node.outputs().size() != 1) return false;
  OperatorCall call(node, inputs, network_);
  std::vector<Symbol> layers;
  for (const LayerId layer : parts(call, node.kind().toQualString())) layers.emplace_back().value = layer;
  if (layers.empty()) return false;
  set(node, {layers});
  return true;
}

bool GraphReader::read_layer(const Node& node, const std::vector<Symbol>& inputs) {
  const auto* schema = node.maybeSchema();
  const Operator build = find_operator(name_without_underscore(node));
  if (schema == nullptr || build == nullptr || node.outputs().size() != 1) return false;
  OperatorCall call(node, inputs, network_);
  const LayerId result = build(call);
  if (schema->is_mutable()) {
    if (const auto* changed = std::get_if<LayerId>(&inputs.front().value)) replace(*changed, result);
  }
  set(node, {result});
  return true;
}

std::vector<Symbol> GraphReader::symbols_of(at::ArrayRef<const Value*> values) const {
  std::vector<Symbol> symbols;
  for (const Value* value : values) {
    const auto found = known_.find(value);
    if (found == known_.end())
      throw Obstacle("the module's own attributes, which its forward method reads or changes");
    symbols.push_back(found->second);
  }
  return symbols;
}

void GraphReader::replace(LayerId before, LayerId after) {
  for (auto& [value, symbol] : known_) replace_in(symbol, before, after);
}

}  // namespace whence::nn
