// A block of a product, on the fastest unit that the processor has.
#pragma once

#include "nn/kernels/amx_tiles.h"
#include "nn/kernels/bf16_vectors.h"

#ifdef WHENCE_HAS_BF16_CODE

#include <algorithm>

namespace whence::nn::bf16 {

/// Whether blocks are multiplied on AMX, always 32 rows at a time.
inline bool on_tiles() {
  static const bool has = has_amx();
  return has;
}

/// c (32 x 32 or 32 x 16 floats, rows `c_stride` apart) = a (32 rows) * b, or c += that. Rows of a start `offset` halves
/// into its pieces. Of c, its first `rows` rows have a meaning. Needs Tiles where the processor has AMX.
WHENCE_BF16 inline void multiply_block(const LeftMatrix& a, std::int64_t offset, const RightMatrix& b,
                                       float* c, std::int64_t c_stride, bool add,
                                       std::int64_t rows = kBlock) {
  if (on_tiles())
    multiply_on_tiles(a, offset, b, c, c_stride, add);
  else
    multiply_on_vectors(a, offset, b, c, c_stride, add, std::min(rows, kBlock));
}

}  // namespace whence::nn::bf16
#endif
