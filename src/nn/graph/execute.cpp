#include "nn/graph/execute.h"

#include <ATen/record_function.h>

#include "nn/ops/operation.h"

namespace whence::nn {

bool is_heavy(const Op& op) { return operation_of(op).heavy; }

bool runs_in_bfloat16(const Op& op, Precision precision, bool last) {
  return precision == Precision::bfloat16 && is_heavy(op) && !(last && std::holds_alternative<Linear>(op));
}

std::vector<bool> ends_of_paths(const std::vector<Layer>& layers) {
  std::vector<bool> last(layers.size(), true);
  for (LayerId id = layers.size(); id-- > 0;) {
    if (last[id] && !is_heavy(layers[id].op)) continue;
    for (const LayerId input : layers[id].inputs) last[input] = false;
  }
  return last;
}

at::Tensor execute(const Layer& layer, std::vector<at::Tensor> inputs, const Execution& execution, bool last,
                   bool relu) {
  RECORD_USER_SCOPE(layer.name);
  const bool narrow = runs_in_bfloat16(layer.op, execution.precision, last);
  for (at::Tensor& input : inputs) {
    if (narrow) {
      input = input.to(at::kBFloat16);
    } else if ((last || is_heavy(layer.op)) && input.scalar_type() == at::kBFloat16) {
      input = input.to(at::kFloat);
    }
  }
  return operation_of(layer.op).forward(layer.op, {layer, inputs, execution, relu});
}

}  // namespace whence::nn
