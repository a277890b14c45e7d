// Blocks of products in float32 on AVX2, for processors without AVX-512: six rows of sixteen sums stay in registers.
#pragma once

#if defined(__x86_64__) && defined(__GNUC__)
#define WHENCE_HAS_F32_CODE 1
#include <immintrin.h>

#include <array>
#include <cstdint>
#include <utility>

/// A function for processors with AVX2 and fused multiply-add.
#define WHENCE_F32 __attribute__((target("avx2,fma")))

namespace whence::nn::f32 {

constexpr std::int64_t kLanes = 8, kColumns = 2 * kLanes;
/// Rows of a block: of 16 columns, and of 8. Two instructions a cycle, each of which takes four, keep eight sums busy.
constexpr std::int64_t kRows = 6, kNarrowRows = 8;

constexpr std::int64_t rounded_up(std::int64_t value, std::int64_t multiple) {
  return (value + multiple - 1) / multiple * multiple;
}

/// Part of the depth of a product. Distances in floats.
struct Piece {
  std::int64_t left;   ///< from where a left row begins
  std::int64_t right;  ///< from where the right matrix, rows of 16 columns, begins
  std::int64_t depth;
};
struct Pieces {
  const Piece* first;
  std::int64_t count;
};

/// to (rows of 16 columns) = the left rows, which begin at rows[0], rows[1] ..., times the right matrix. What loops over
/// sums is unrolled by name: otherwise GCC keeps them in memory.
template <int kCount, int kVectors>
WHENCE_F32 void multiply_rows(const float* const* rows, const float* right, Pieces pieces, float* to) {
  __m256 sums[kCount][kVectors];
#pragma GCC unroll 8
  for (int r = 0; r < kCount; ++r) {
#pragma GCC unroll 2
    for (int v = 0; v < kVectors; ++v) sums[r][v] = _mm256_setzero_ps();
  }
  for (const Piece* piece = pieces.first; piece != pieces.first + pieces.count; ++piece) {
    const float* left[kCount];
#pragma GCC unroll 8
    for (int r = 0; r < kCount; ++r) left[r] = rows[r] + piece->left;
    const float* column = right + piece->right;
#pragma GCC unroll 4
    for (std::int64_t k = 0; k < piece->depth; ++k, column += kColumns) {
      __m256 both[kVectors];
#pragma GCC unroll 2
      for (int v = 0; v < kVectors; ++v) both[v] = _mm256_loadu_ps(column + v * kLanes);
#pragma GCC unroll 8
      for (int r = 0; r < kCount; ++r) {
        const __m256 repeated = _mm256_broadcast_ss(left[r] + k);
#pragma GCC unroll 2
        for (int v = 0; v < kVectors; ++v) sums[r][v] = _mm256_fmadd_ps(repeated, both[v], sums[r][v]);
      }
    }
  }
#pragma GCC unroll 8
  for (int r = 0; r < kCount; ++r) {
#pragma GCC unroll 2
    for (int v = 0; v < kVectors; ++v) _mm256_storeu_ps(to + r * kColumns + v * kLanes, sums[r][v]);
  }
}

/// Two rows that are multiplied element by element, from where their matrices begin, in floats.
struct Pair {
  std::int32_t left, right;
};
struct Pairs {
  const Pair* first;
  std::int64_t count;
};

/// sums (kCount rows of 8 * kVectors columns, `stride` apart) += the sum over all pairs of their rows' outer product.
template <int kCount, int kVectors>
WHENCE_F32 void add_outer_products(const float* left, const float* right, Pairs pairs, float* to,
                                   std::int64_t stride) {
  __m256 sums[kCount][kVectors];
#pragma GCC unroll 8
  for (int r = 0; r < kCount; ++r) {
#pragma GCC unroll 2
    for (int v = 0; v < kVectors; ++v) sums[r][v] = _mm256_loadu_ps(to + r * stride + v * kLanes);
  }
#pragma GCC unroll 2
  for (const Pair* pair = pairs.first; pair != pairs.first + pairs.count; ++pair) {
    const float *a = left + pair->left, *b = right + pair->right;
    __m256 both[kVectors];
#pragma GCC unroll 2
    for (int v = 0; v < kVectors; ++v) both[v] = _mm256_loadu_ps(b + v * kLanes);
#pragma GCC unroll 8
    for (int r = 0; r < kCount; ++r) {
      const __m256 repeated = _mm256_broadcast_ss(a + r);
#pragma GCC unroll 2
      for (int v = 0; v < kVectors; ++v) sums[r][v] = _mm256_fmadd_ps(repeated, both[v], sums[r][v]);
    }
  }
#pragma GCC unroll 8
  for (int r = 0; r < kCount; ++r) {
#pragma GCC unroll 2
    for (int v = 0; v < kVectors; ++v) _mm256_storeu_ps(to + r * stride + v * kLanes, sums[r][v]);
  }
}

using RowProduct = void (*)(const float* const*, const float*, Pieces, float*);
using OuterProduct = void (*)(const float*, const float*, Pairs, float*, std::int64_t);

/// The functions above for 1, 2, ... rows.
template <int kVectors, int... kBefore>
constexpr auto row_products(std::integer_sequence<int, kBefore...>) {
  return std::array<RowProduct, sizeof...(kBefore)>{multiply_rows<kBefore + 1, kVectors>...};
}
template <int kVectors, int... kBefore>
constexpr auto outer_products(std::integer_sequence<int, kBefore...>) {
  return std::array<OuterProduct, sizeof...(kBefore)>{add_outer_products<kBefore + 1, kVectors>...};
}

inline RowProduct row_product(std::int64_t rows, bool narrow) {
  static constexpr auto wide_ones = row_products<2>(std::make_integer_sequence<int, kRows>());
  static constexpr auto narrow_ones = row_products<1>(std::make_integer_sequence<int, kNarrowRows>());
  const auto i = static_cast<std::size_t>(rows - 1);
  return narrow ? narrow_ones[i] : wide_ones[i];
}
inline OuterProduct outer_product(std::int64_t rows, bool narrow) {
  static constexpr auto wide_ones = outer_products<2>(std::make_integer_sequence<int, kRows>());
  static constexpr auto narrow_ones = outer_products<1>(std::make_integer_sequence<int, kNarrowRows>());
  const auto i = static_cast<std::size_t>(rows - 1);
  return narrow ? narrow_ones[i] : wide_ones[i];
}

/// Group `i` of as few nearly equal ones of `count` rows, none of more than `most`, as there are.
struct RowGroup {
  std::int64_t begin, end;
};
constexpr std::int64_t row_groups(std::int64_t count, std::int64_t most) { return (count + most - 1) / most; }
constexpr RowGroup row_group(std::int64_t count, std::int64_t groups, std::int64_t i) {
  return {count * i / groups, count * (i + 1) / groups};
}

}  // namespace whence::nn::f32
#endif
