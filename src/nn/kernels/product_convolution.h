// Convolutions that are products of matrices (bf16_products.h), as autograd knows them.
#pragma once

#include <ATen/core/Tensor.h>

#include "whence/nn/ops/ops.h"

namespace whence::nn {

// x: bfloat16, on a processor with has_bf16_products(); weight and bias: any floating type, rounded to x's (the bias is
// not). Gradients come in the types of x, weight and bias; second derivatives are an error.

at::Tensor product_convolution(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                               const Conv2d& op, bool relu);
at::Tensor product_transposed_convolution(const at::Tensor& x, const at::Tensor& weight,
                                          const at::Tensor& bias, const ConvTranspose2d& op, bool relu);

}  // namespace whence::nn
