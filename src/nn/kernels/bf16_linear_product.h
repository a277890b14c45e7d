// The three products of a linear layer in bfloat16: y = x W', and its gradients in x and W. A layer whose weight is large
// and whose batch is small reads and writes memory more than it computes: each product goes over the weight once, in the
// format in which it is stored, and converts it on the way.
#pragma once

#include <ATen/core/Tensor.h>

namespace whence::nn {

/// Whether a weight (outputs, inputs) has sizes that the products take: multiples of 32.
bool fits_linear_products(const at::Tensor& weight);

// x, output and gradient: bfloat16, contiguous; weight: float32 or bfloat16, contiguous. Sums are float32, in an order that
// does not depend on the number of threads. Needs has_bf16_products() and fits_linear_products().

/// output (N, O) = x (N, C) * transposed weight (O, C) + bias (float32, O or none).
void multiply_by_weight(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                        const at::Tensor& output);
/// output (N, C) = gradient (N, O) * weight (O, C).
void multiply_back(const at::Tensor& gradient, const at::Tensor& weight, const at::Tensor& output);
/// output (O, C; float32, contiguous) = transposed gradient (N, O) * x (N, C).
void multiply_for_weight(const at::Tensor& gradient, const at::Tensor& x, const at::Tensor& output);

}  // namespace whence::nn
