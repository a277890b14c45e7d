#include "interchange/onnx_operators.h"

#include <array>
#include <vector>

#include "whence/core/names.h"

namespace whence::interchange {
namespace {

constexpr std::array kTables = {onnx_activations, onnx_arithmetic, onnx_products, onnx_pools,
                                onnx_norms,       onnx_reductions, onnx_shapes,   onnx_parts,
                                onnx_choices,     onnx_resizings,  onnx_recurrent};

OnnxOperator operator_in(std::span<const OnnxEntry> table, std::string_view name) {
  for (const OnnxEntry& entry : table)
    if (entry.name == name) return entry.add;
  return nullptr;
}

/// Why an operator will never be there; nullptr: it may come one day.
const char* hopeless(const OnnxNode& node) {
  if (node.operation.starts_with("TreeEnsemble"))
    return "is a decision tree, which has no gradient; train a model that has one, such as a neural network";
  if (node.operation.starts_with("SVM"))
    return "is a support vector machine, which whence does not read; train a neural network";
  for (const char* part : {"Quantize", "Integer", "QLinear"})
    if (node.operation.find(part) != std::string::npos)
      return "rounds to whole numbers, so that no gradient passes; export the model before it is quantized";
  if (node.operation.starts_with("Random") || node.operation == "Bernoulli" ||
      node.operation == "Multinomial")
    return "draws random numbers at every call; export the model in evaluation mode";
  return nullptr;
}

}  // namespace

OnnxOperator find_onnx_operator(const OnnxNode& node) {
  if (const char* reason = hopeless(node)) throw OnnxProblem(reason);
  if (node.domain == "ai.onnx.ml") {
    if (const OnnxOperator found = operator_in(onnx_learning(), node.operation)) return found;
  }
  if (node.domain.empty()) {
    for (const auto table : kTables)
      if (const OnnxOperator found = operator_in(table(), node.operation)) return found;
  }
  throw OnnxProblem("is not known to whence; export the model without it, or as .pt2 or TorchScript");
}

}  // namespace whence::interchange
