// How convolutions run: by product_convolution in bfloat16 where the processor has the instructions, through LibTorch
// otherwise.
#pragma once

#include <ATen/core/Tensor.h>

#include "whence/nn/ops/ops.h"

namespace whence::nn {

/// x (N, C, H, W), weight (op.channels, C / op.groups, rows, columns), bias (op.channels) or undefined -> what at::conv2d computes, with its
/// negative values set to 0 when a ReLU follows; channels-last, of x's type, in whose precision it is computed;
/// differentiable once in all three. Weights of another type than x are rounded to x's.
at::Tensor convolution(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                       const Conv2d& op, bool relu);

/// The same for a transposed convolution with a weight (C, op.channels, k, k).
at::Tensor transposed_convolution(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                                  const ConvTranspose2d& op, bool relu);

}  // namespace whence::nn
