// Products of bfloat16 convolutions whose grid is small, as behind a few poolings: a row of such a grid is too short to fill
// the registers, and a kernel matrix is read again for every few rows. Here the rows of a product are the images of the
// batch at one position, and taps that fall outside of the image are left out. Needs has_bf16_products().
#pragma once

#include <ATen/core/Tensor.h>

#include "nn/patches.h"

namespace whence::nn {

/// Whether the two functions below are for these patches, and faster: grids of at most 14 x 14, whole blocks of channels, a
/// batch that fills the registers, and no AMX, whose tiles take 32 rows at a time.
bool has_small_grid(const Patches& patches);

/// multiply_patches (bf16_products.h) to the same bits.
void multiply_small_grid(const Patches& patches, const at::Tensor& input, const at::Tensor& kernel,
                         const at::Tensor& bias, float floor, const at::Tensor& output);

/// multiply_transposed_patches; the order of the sums is the same for any number of threads and any caller.
void multiply_transposed_small_grid(const Patches& patches, const at::Tensor& input,
                                    const at::Tensor& output_gradient, const at::Tensor& weight_gradient);

}  // namespace whence::nn
