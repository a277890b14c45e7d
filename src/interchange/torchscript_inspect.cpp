// What the code of a foreign module tells: random operations, and what its last operation gets.
#include <torch/csrc/jit/ir/constants.h>
#include <torch/csrc/jit/passes/constant_propagation.h>
#include <torch/csrc/jit/passes/dead_code_elimination.h>
#include <torch/csrc/jit/passes/freeze_module.h>
#include <torch/csrc/jit/passes/inliner.h>

#include "interchange/script_answer.h"
#include "interchange/script_failure.h"

namespace whence::nn {
namespace {

using torch::jit::Graph;
using torch::jit::Node;

/// The value of an argument, where it is a constant.
c10::IValue constant_argument(const Node& node, const char* name) {
  const auto index = node.schema().argumentIndexWithName(name);
  if (!index) return {};
  const auto value = torch::jit::toIValue(node.inputs()[static_cast<std::size_t>(*index)]);
  return value ? c10::IValue(*value) : c10::IValue();
}

/// Dropout that is switched off draws nothing.
bool draws_numbers(const Node& node) {
  if (node.maybeSchema() == nullptr) return false;
  const std::string_view name = node.kind().toUnqualString();
  if (!node.isNondeterministic() && name.find("dropout") == std::string_view::npos) return false;
  const c10::IValue train = constant_argument(node, "train");
  if (train.isBool() && !train.toBool()) return false;
  for (const char* share : {"p", "dropout_p"}) {
    const c10::IValue p = constant_argument(node, share);
    if (p.isScalar() && p.toScalar().toDouble() == 0) return false;
  }
  return true;
}

/// Not in branches, which may never be taken.
const Node* first_draw(const Graph& graph) {
  for (const Node* node : graph.nodes())
    if (draws_numbers(*node)) return node;
  return nullptr;
}

/// What an operation's result passes through unchanged.
bool only_rearranges(const Node& node) {
  const std::string_view name = node.kind().toQualString();
  return name == "aten::contiguous" || name == "aten::clone";
}

}  // namespace

std::string ScriptModule::random_operation() const {
  try {
    const torch::jit::Module frozen = torch::jit::freeze_module(implementation_->module);
    const std::shared_ptr<Graph> graph = frozen.get_method("forward").graph();
    const Node* draw = first_draw(*graph);
    return draw == nullptr ? "" : place_in_own_code(*draw);
  } catch (const std::exception&) {
    return "";  // such a module is not understood; what it does tells more
  }
}

std::optional<ScriptModule> ScriptModule::before(const std::string& operation) const {
  const torch::jit::Module& module = implementation_->module;
  try {
    std::shared_ptr<Graph> graph = module.get_method("forward").graph()->copy();
    torch::jit::Inline(*graph);
    torch::jit::ConstantPropagation(graph);
    torch::jit::Value* answer = chosen_value(graph->outputs()[0], implementation_->entry);
    while (answer != nullptr && only_rearranges(*answer->node())) answer = answer->node()->inputs()[0];
    if (answer == nullptr || answer->node()->kind().toQualString() != "aten::" + operation)
      return std::nullopt;
    torch::jit::Value* input = answer->node()->inputs()[0];
    graph->eraseOutput(0);
    graph->registerOutput(input);
    torch::jit::EliminateDeadCode(graph);
    const std::string method = "whence_before_" + operation;
    if (!module.find_method(method)) {
      const c10::QualifiedName name(*module.type()->name(), method);
      module.type()->addMethod(module._ivalue()->compilation_unit()->create_function(name, graph));
    }
    ScriptModule other = *this;
    other.implementation_ = std::make_shared<Implementation>(Implementation{module, method, ""});
    return other;
  } catch (const std::exception&) {
    return std::nullopt;
  }
}

}  // namespace whence::nn
