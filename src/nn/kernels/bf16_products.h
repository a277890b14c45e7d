// Convolutions as products of bfloat16 matrices; all need has_bf16_products(). Each image is laid out once, in the cache,
// so that its patches can be read where they lie; no matrix of patches is ever written.
#pragma once

#include <ATen/core/Tensor.h>

#include "nn/kernels/bias_gradient.h"
#include "nn/kernels/patches.h"

namespace whence::nn::bf16 {

/// The kernel matrix of `weight` (float32, any strides; see kernel_offsets) in the order in which blocks read it.
at::Tensor pack_kernel(const Patches& patches, const at::Tensor& weight);

/// output = max(patches of input * kernel + bias, floor). input and output: bfloat16, channels-last; kernel: of
/// pack_kernel; bias: float32 (output channels or none); floor: 0 for a ReLU, -infinity for none.
/// Writes every pixel of `output`. Sums are float32.
void multiply_patches(const Patches& patches, const at::Tensor& input, const at::Tensor& kernel,
                      const at::Tensor& bias, float floor, const at::Tensor& output);

/// weight_gradient (float32, any strides) = transposed patches of input * output_gradient (bfloat16,
/// channels-last). The order of the sums does not depend on the number of threads, only on whether the caller is one of
/// several (core/parts).
void multiply_transposed_patches(const Patches& patches, const at::Tensor& input,
                                 const at::Tensor& output_gradient, const at::Tensor& weight_gradient);

/// `gradient` (bfloat16, channels-last) where `output` is above 0, all of it where `output` is undefined, and the sum of that
/// (float32).
BiasGradient pass_back_bias(const at::Tensor& gradient, const at::Tensor& output);

}  // namespace whence::nn::bf16
