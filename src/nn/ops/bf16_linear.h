// A linear layer in bfloat16 that autograd knows.
#pragma once

#include <ATen/core/Tensor.h>

namespace whence::nn {

/// x (N, C), bfloat16, times the transposed weight (O, C), float32 or bfloat16, plus the bias (float32, O or undefined) ->
/// (N, O), bfloat16. Needs has_bf16_products() and fits_linear_products(weight). Gradients come in the types of x, weight
/// and bias; second derivatives are an error.
at::Tensor bf16_linear(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias);

}  // namespace whence::nn
