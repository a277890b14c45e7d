#include "nn/ops/operation_row.h"

namespace whence::nn {

LinearTensors own_linear_tensors(const Layer& layer, const at::Tensor& x) {
  const auto plain = [&](std::size_t i) {
    return i < layer.parameters.size() ? layer.parameters[i].tensor.detach().to(x.scalar_type())
                                       : at::Tensor();
  };
  return {plain(0), plain(1)};
}

}  // namespace whence::nn
