// One layer at work, as its operation sees it.
#pragma once

#include <vector>

#include "whence/nn/graph/network.h"

namespace whence::nn {

struct LayerCall {
  const Layer& layer;
  const std::vector<at::Tensor>& inputs;  ///< (N, shape of each)
  const Execution& execution;
  bool relu;  ///< with the work of the ReLU that the operation merges

  const at::Tensor& x() const { return inputs.front(); }
  /// Parameter i as it is stored; undefined where the layer has fewer.
  at::Tensor learned(std::size_t i) const {
    return i < layer.parameters.size() ? layer.parameters[i].tensor : at::Tensor();
  }
  /// In the input's format; a copy only where the formats differ.
  at::Tensor like_x(std::size_t i) const {
    const at::Tensor parameter = learned(i);
    return parameter.defined() ? parameter.to(x().scalar_type()) : parameter;
  }
  const at::Tensor& buffer(std::size_t i) const { return layer.buffers[i].tensor; }
};

}  // namespace whence::nn
