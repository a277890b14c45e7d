// Convolutions as products of float32 matrices, on AVX2 or AVX-512. Images with their margins are laid out once, in the cache, so that
// their patches can be read where they lie; no matrix of patches is ever written.
#pragma once

#include <ATen/core/Tensor.h>

#include "nn/kernels/patches.h"

namespace whence::nn::f32 {

/// The kernel matrix of `weight` (float32, any strides; see kernel_offsets) in the order in which blocks read it.
at::Tensor pack_kernel(const Patches& patches, const at::Tensor& weight);

/// output = max(patches of input * kernel + bias, floor). input and output: float32, channels-last; kernel: of
/// pack_kernel; bias: float32 (output channels or none); floor: 0 for a ReLU, -infinity for none.
/// Writes every pixel of `output`. The same bits for any number of threads, as long as weights and input are finite.
void multiply_patches(const Patches& patches, const at::Tensor& input, const at::Tensor& kernel,
                      const at::Tensor& bias, float floor, const at::Tensor& output);

/// weight_gradient (float32, any strides) = transposed patches of input * output_gradient (float32, channels-last). The
/// order of the sums does not depend on the number of threads, only on whether the caller is one of several (core/parts).
void multiply_transposed_patches(const Patches& patches, const at::Tensor& input,
                                 const at::Tensor& output_gradient, const at::Tensor& weight_gradient);

}  // namespace whence::nn::f32
