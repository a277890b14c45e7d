// Convolutions in bfloat16 that autograd knows.
#pragma once

#include <ATen/core/Tensor.h>

#include "whence/nn/ops.h"

namespace whence::nn {

// x: bfloat16; weight and bias: any floating type, rounded to bfloat16 (the bias is not); needs has_bf16_products().
// Gradients come in the types of x, weight and bias; second derivatives are an error.

at::Tensor bf16_convolution(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                            const Conv2d& op, bool relu);
at::Tensor bf16_transposed_convolution(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                                       const ConvTranspose2d& op, bool relu);

}  // namespace whence::nn
