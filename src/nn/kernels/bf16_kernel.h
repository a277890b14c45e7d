// Between a convolution's weight and its kernel matrix. Where elements lie side by side in the weight, as they do in those of
// Network that have channels enough, they are moved 16 at a time, otherwise one by one.
#pragma once

#include "nn/kernels/bf16_matrix.h"
#include "nn/kernels/patches.h"

#ifdef WHENCE_HAS_BF16_CODE

namespace whence::nn::bf16 {

/// Puts kBlock x kBlock sums where they belong in the gradient of a weight. sums: a row for each column of the kernel matrix
/// from `column` on, an element of it for each of its depth from `depth` on; what lies past the matrix is left out.
/// adds: to what the gradient holds.
void put_square(const KernelOffsets& offsets, std::int64_t column, std::int64_t depth, const float* sums,
                float* gradient, bool adds);

}  // namespace whence::nn::bf16
#endif
