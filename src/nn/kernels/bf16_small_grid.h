// Products of bfloat16 convolutions whose grid is small, as behind a few poolings: a row of such a grid is too short to fill
// the registers, and a kernel matrix is read again for every row. Here the rows of a product are the images of the
// batch at one position, and taps that fall outside of the image are left out. Needs has_bf16_products().
#pragma once

#include <ATen/core/Tensor.h>

#include "nn/kernels/patches.h"

namespace whence::nn {

/// Whether the two functions below are for these patches, and as fast or faster (bench_small): whole blocks of channels, grids
/// of at most 14 x 14, and as many images as fill the registers no worse than a row of the grid, or on AMX the tiles, which
/// take 32 rows whatever use they have, no worse than an image's positions.
bool has_small_grid(const Patches& patches);

/// What multiply_patches (bf16_products.h) computes. To the same bits as products of a row of the grid, as long as
/// weights and input are finite.
void multiply_small_grid(const Patches& patches, const at::Tensor& input, const at::Tensor& kernel,
                         const at::Tensor& bias, float floor, const at::Tensor& output);

/// What multiply_transposed_patches computes; the order of the sums is the same for any number of threads and any caller.
/// Copies of the input and of the gradient of 256 images at a time are its memory.
void multiply_transposed_small_grid(const Patches& patches, const at::Tensor& input,
                                    const at::Tensor& output_gradient, const at::Tensor& weight_gradient);

}  // namespace whence::nn
