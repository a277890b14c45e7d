// What rules need of an operation: how relevance passes it, and its weights, which rules exchange.
#pragma once

#include <vector>

#include "whence/nn/graph/network.h"

namespace whence::nn {

enum class Passage {
  adds,        ///< sums weighted inputs: Linear, convolutions, average pools, Add
  scales,      ///< one input an output, times a number, plus a number: batch normalisation, ScaleShift
  copies,      ///< every output is a copy of one input, or 0: Flatten, Concat, padding, maximum pooling, ...
  activates,   ///< a function of each value alone
  normalises,  ///< every output depends on all inputs in a way that no rule shares out: Softmax, LogSoftmax
};
Passage passage_of(const Op& op);

/// Undefined: no such tensor. The weights of average pools and Add are positive numbers that nothing changes.
struct LinearTensors {
  at::Tensor weight, bias;
};
/// Of a layer that adds or scales, without gradients, in x's format.
LinearTensors linear_tensors(const Layer& layer, const at::Tensor& x);

/// The output of a layer that adds or scales, with other tensors in place of its own. Differentiable in `inputs`.
at::Tensor linear_forward(const Layer& layer, const std::vector<at::Tensor>& inputs,
                          const LinearTensors& tensors);

}  // namespace whence::nn
