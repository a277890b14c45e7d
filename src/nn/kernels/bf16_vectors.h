// Blocks of products on the bfloat16 instructions of AVX-512, for processors that have these and no AMX. A row of a right
// tile, 16 pairs, is an operand as it lies; the other one is a pair of a left row, repeated 16 times.
#pragma once

#include "nn/kernels/bf16_matrix.h"

#ifdef WHENCE_HAS_BF16_CODE

#include <algorithm>
#include <array>
#include <cstring>
#include <iterator>
#include <utility>

namespace whence::nn::bf16 {

/// multiply_on_vectors for kCount rows and 16 * kVectors columns, whose sums stay in registers. What loops over them is
/// unrolled by name: otherwise GCC keeps them in memory.
template <int kCount, int kVectors>
WHENCE_BF16 inline void multiply_rows(const LeftMatrix& a, std::int64_t offset, const RightMatrix& b,
                                      float* c, std::int64_t c_stride, bool add) {
  const Half* const columns[2] = {b.first, b.second};
  __m512 sums[kCount][kVectors];
#pragma GCC unroll 16
  for (int r = 0; r < kCount; ++r) {
#pragma GCC unroll 2
    for (int v = 0; v < kVectors; ++v)
      sums[r][v] = add ? _mm512_loadu_ps(c + r * c_stride + v * kColumns) : _mm512_setzero_ps();
  }
  for (std::int64_t piece = 0; piece < a.count; ++piece) {
    const Half* left = a.pieces[piece] + offset;
    for (std::int64_t k = 0, tile = piece * b.piece; k < a.depth; k += kDepth, tile += b.step) {
      const std::int64_t pairs = std::min(kRows, (a.depth - k + 1) / 2);
      std::int64_t at = tile;
#pragma GCC unroll 4
      for (std::int64_t pair = 0; pair < pairs; ++pair, at += b.row, left += 2) {
        __m512i right[kVectors];
#pragma GCC unroll 2
        for (int v = 0; v < kVectors; ++v) right[v] = _mm512_loadu_si512(columns[v] + at);
#pragma GCC unroll 16
        for (int r = 0; r < kCount; ++r) {
          int both = 0;
          std::memcpy(&both, left + r * a.stride, sizeof both);
          const auto repeated = reinterpret_cast<__m512bh>(_mm512_set1_epi32(both));
#pragma GCC unroll 2
          for (int v = 0; v < kVectors; ++v)
            sums[r][v] = _mm512_dpbf16_ps(sums[r][v], repeated, reinterpret_cast<__m512bh>(right[v]));
        }
      }
    }
  }
#pragma GCC unroll 16
  for (int r = 0; r < kCount; ++r) {
#pragma GCC unroll 2
    for (int v = 0; v < kVectors; ++v) _mm512_storeu_ps(c + r * c_stride + v * kColumns, sums[r][v]);
  }
}

using RowProduct = void (*)(const LeftMatrix&, std::int64_t, const RightMatrix&, float*, std::int64_t, bool);

/// multiply_rows for 1, 2, ... rows.
template <int kVectors, int... kBefore>
constexpr auto row_products(std::integer_sequence<int, kBefore...>) {
  return std::array<RowProduct, sizeof...(kBefore)>{multiply_rows<kBefore + 1, kVectors>...};
}

/// multiply_block without AMX; rows: any number, and no other row of c is written. Each sum is taken in the order of the
/// depth; denormal halves and sums count as 0.
inline void multiply_on_vectors(const LeftMatrix& a, std::int64_t offset, const RightMatrix& b, float* c,
                                std::int64_t c_stride, bool add, std::int64_t rows = kBlock) {
  // 16 sums: two instructions a cycle, each of which takes six. Eight rows read a pair once for both of their columns.
  static constexpr auto one = row_products<1>(std::make_integer_sequence<int, 16>());
  static constexpr auto two = row_products<2>(std::make_integer_sequence<int, 8>());
  const bool single = b.second == nullptr;
  const std::int64_t most = single ? std::ssize(one) : std::ssize(two), groups = (rows + most - 1) / most;
  for (std::int64_t group = 0; group < groups; ++group) {
    const std::int64_t begin = rows * group / groups, end = rows * (group + 1) / groups;
    const auto count = static_cast<std::size_t>(end - begin);
    (single ? one[count - 1] : two[count - 1])(a, offset + begin * a.stride, b, c + begin * c_stride,
                                               c_stride, add);
  }
}

}  // namespace whence::nn::bf16
#endif
