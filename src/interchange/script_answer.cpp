#include "interchange/script_answer.h"

#include <fmt/ranges.h>
#include <torch/csrc/jit/ir/constants.h>
#include <torch/csrc/jit/runtime/graph_executor.h>

#include "whence/core/error.h"
#include "whence/core/names.h"

namespace whence::nn {
namespace {

/// A tensor of an answer and what it is called: the key of a dictionary, the field or number in a tuple or list.
struct OneOutput {
  std::string name;
  at::Tensor tensor;
};

std::string joined(const std::string& front, const std::string& name) {
  return front.empty() ? name : front + "." + name;
}

/// The names of a named tuple's fields; numbers for any other.
std::vector<std::string> names_of_fields(const c10::TypePtr& type, std::size_t count) {
  std::vector<std::string> names;
  const auto tuple = type->cast<c10::TupleType>();
  const auto schema = tuple ? tuple->schema() : nullptr;
  for (std::size_t i = 0; i < count; ++i)
    names.push_back(schema && i < schema->arguments().size() ? schema->arguments()[i].name()
                                                             : std::to_string(i));
  return names;
}

void collect(const c10::IValue& answer, const std::string& name, std::vector<OneOutput>& entries) {
  if (answer.isTensor()) {
    entries.push_back({name, answer.toTensor()});
  } else if (answer.isTuple()) {
    const auto& elements = answer.toTupleRef().elements();
    const std::vector<std::string> names = names_of_fields(answer.type(), elements.size());
    for (std::size_t i = 0; i < names.size(); ++i) collect(elements[i], joined(name, names[i]), entries);
  } else if (answer.isList()) {
    std::int64_t number = 0;
    for (const c10::IValue& element : answer.toListRef())
      collect(element, joined(name, std::to_string(number++)), entries);
  } else if (answer.isGenericDict()) {
    for (const auto& item : answer.toGenericDict())
      collect(item.value(), joined(name, item.key().isString() ? item.key().toStringRef() : "?"), entries);
  } else if (!answer.isNone()) {  // None: an output that only training fills
    fail("returns {} where tensors are expected; export a model that returns its scores", answer.tagKind());
  }
}

std::vector<std::string> names_of(const std::vector<OneOutput>& entries) {
  std::vector<std::string> names;
  for (const OneOutput& entry : entries) names.push_back(entry.name);
  return names;
}

at::Tensor chosen(const std::vector<OneOutput>& entries, const std::string& name) {
  for (const OneOutput& entry : entries)
    if (entry.name == name) return entry.tensor;
  for (std::size_t i = 0; i < entries.size(); ++i)
    if (std::to_string(i) == name) return entries[i].tensor;
  const std::vector<std::string> names = names_of(entries);
  const std::vector<std::string_view> views(names.begin(), names.end());
  if (names.size() == 1 && names.front().empty())
    fail("returns one tensor, not a choice with an entry '{}'", name);
  fail("returns no entry '{}'{}; there are '{}'", name, did_you_mean(name, views), fmt::join(names, "', '"));
}

/// `V`: a value, const or not.
template <class V>
V* value_of_entry(V* answer, const std::string& entry) {
  if (entry.empty()) return answer;
  const auto* node = answer->node();
  const auto inputs = answer->node()->inputs();
  if (node->kind() == c10::prim::DictConstruct) {
    for (std::size_t i = 0; i + 1 < inputs.size(); i += 2) {
      const auto key = torch::jit::toIValue(inputs[i]);
      if (key && key->isString() && key->toStringRef() == entry) return inputs[i + 1];
    }
  }
  if (node->kind() == c10::prim::TupleConstruct || node->kind() == c10::prim::ListConstruct) {
    const std::vector<std::string> names = names_of_fields(answer->type(), inputs.size());
    for (std::size_t i = 0; i < names.size(); ++i)
      if (names[i] == entry) return inputs[i];
    for (std::size_t i = 0; i < names.size(); ++i)
      if (std::to_string(i) == entry) return inputs[i];
  }
  return nullptr;
}

}  // namespace

std::vector<at::Tensor> call(const torch::jit::Module& module, const std::string& method,
                             const std::string& entry, const std::vector<at::Tensor>& inputs) {
  // The optimising executor re-compiles during the first calls, which costs seconds and changes last bits on
  // the way.
  const torch::jit::GraphOptimizerEnabledGuard plain(false);
  // A copy of its own: modules write into their input, and view fails on channels-last memory.
  std::vector<c10::IValue> own;
  for (const at::Tensor& input : inputs) own.emplace_back(input.clone(at::MemoryFormat::Contiguous));
  const c10::IValue answer = module.get_method(method)(std::move(own));
  std::vector<OneOutput> entries;
  collect(answer, "", entries);
  if (entries.empty()) fail("returns no tensor; export a model that returns its scores");
  if (!entry.empty()) return {chosen(entries, entry)};
  if (answer.isGenericDict())
    fail(
        "returns a dictionary; choose one of its entries '{}' with --output NAME (classifier.entry in a "
        "recipe)",
        fmt::join(names_of(entries), "', '"));
  std::vector<at::Tensor> tensors;
  for (OneOutput& each : entries) tensors.push_back(std::move(each.tensor));
  return tensors;
}

std::vector<std::string> names_of_outputs(const c10::TypePtr& answer) {
  const auto tuple = answer->cast<c10::TupleType>();
  return tuple ? names_of_fields(answer, tuple->elements().size()) : std::vector<std::string>();
}

torch::jit::Value* chosen_value(torch::jit::Value* answer, const std::string& entry) {
  return value_of_entry(answer, entry);
}
const torch::jit::Value* chosen_value(const torch::jit::Value* answer, const std::string& entry) {
  return value_of_entry(answer, entry);
}

}  // namespace whence::nn
