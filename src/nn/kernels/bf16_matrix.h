// The matrices that the bfloat16 kernels multiply, and the rearrangements they ask for.
#pragma once

#if defined(__x86_64__) && defined(__GNUC__)
#define WHENCE_HAS_BF16_CODE 1
#include <immintrin.h>

#include <cstdint>

/// A function for processors with AVX-512 and its bfloat16 instructions.
#define WHENCE_BF16 __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512bf16")))

namespace whence::nn::bf16 {

/// The bits of a bfloat16.
using Half = std::uint16_t;

// A tile has 16 rows of 64 bytes: 16 x 16 float sums, 16 x 32 halves of the left matrix, or 16 pairs of rows x 16
// columns of the right one, the two halves of a pair side by side.
constexpr std::int64_t kRows = 16, kColumns = 16, kDepth = 32, kTileHalves = 512;
/// The left matrix is read in blocks of two tiles.
constexpr std::int64_t kBlock = 2 * kRows;

constexpr std::int64_t rounded_up(std::int64_t value, std::int64_t multiple) {
  return (value + multiple - 1) / multiple * multiple;
}

/// The left matrix of a product, in `count` pieces of 32 * steps columns each; rows are `stride` halves apart.
struct LeftMatrix {
  const Half* const* pieces;
  std::int64_t count, steps, stride;
  std::int64_t depth = steps * kDepth;  ///< columns of a piece before those that meet zeros only
};

/// 32 columns of the right matrix: for each piece of the left one a tile for each of its steps. Distances in halves.
struct RightMatrix {
  const Half *first, *second;  ///< of 16 columns each; `second` may be null
  std::int64_t step, piece;    ///< from a tile to the next, and from a piece's first to the next piece's
  std::int64_t row = kDepth;   ///< from a tile's row to the next
};

WHENCE_BF16 inline void copy(const Half* from, Half* to, std::int64_t count) {
  for (; count >= 32; count -= 32, from += 32, to += 32) _mm512_storeu_si512(to, _mm512_loadu_si512(from));
  if (count > 0) {
    const auto mask = static_cast<__mmask32>((1u << count) - 1);
    _mm512_mask_storeu_epi16(to, mask, _mm512_maskz_loadu_epi16(mask, from));
  }
}

/// a0 b0 a1 b1 ... of 16 halves each, or of as many as `mask` has bits.
WHENCE_BF16 inline __m512i interleaved(const Half* a, const Half* b, __mmask16 mask = 0xffff) {
  const __m512i low = _mm512_cvtepu16_epi32(_mm256_maskz_loadu_epi16(mask, a));
  const __m512i high = _mm512_cvtepu16_epi32(_mm256_maskz_loadu_epi16(mask, b));
  return _mm512_or_si512(low, _mm512_slli_epi32(high, 16));
}

/// Transposes a 16 x 16 matrix of 32-bit elements.
WHENCE_BF16 inline void transpose(__m512i (&row)[16]) {
  __m512i half[16];
  for (int i = 0; i < 16; i += 2) {  // pairs of rows, then fours
    half[i] = _mm512_unpacklo_epi32(row[i], row[i + 1]);
    half[i + 1] = _mm512_unpackhi_epi32(row[i], row[i + 1]);
  }
  for (int i = 0; i < 16; i += 4) {
    row[i] = _mm512_unpacklo_epi64(half[i], half[i + 2]);
    row[i + 1] = _mm512_unpackhi_epi64(half[i], half[i + 2]);
    row[i + 2] = _mm512_unpacklo_epi64(half[i + 1], half[i + 3]);
    row[i + 3] = _mm512_unpackhi_epi64(half[i + 1], half[i + 3]);
  }
  for (int i = 0; i < 4; ++i) {  // quarters of rows, in eights and then all
    half[i] = _mm512_shuffle_i32x4(row[i], row[i + 4], 0x88);
    half[i + 4] = _mm512_shuffle_i32x4(row[i], row[i + 4], 0xdd);
    half[i + 8] = _mm512_shuffle_i32x4(row[i + 8], row[i + 12], 0x88);
    half[i + 12] = _mm512_shuffle_i32x4(row[i + 8], row[i + 12], 0xdd);
  }
  for (int i = 0; i < 4; ++i) {
    row[i] = _mm512_shuffle_i32x4(half[i], half[i + 8], 0x88);
    row[i + 8] = _mm512_shuffle_i32x4(half[i], half[i + 8], 0xdd);
    row[i + 4] = _mm512_shuffle_i32x4(half[i + 4], half[i + 12], 0x88);
    row[i + 12] = _mm512_shuffle_i32x4(half[i + 4], half[i + 12], 0xdd);
  }
}

/// The floats max(sums + bias, floor), rounded to the nearest half; what is no number stays none.
WHENCE_BF16 inline void finish(const float* sums, const float* bias, float floor, Half* to,
                               std::int64_t count) {
  const __m512 least = _mm512_set1_ps(floor);
  for (std::int64_t i = 0; i < count; i += 16) {
    const std::int64_t rest = count - i;
    const auto mask = static_cast<__mmask16>(rest >= 16 ? 0xffff : (1u << rest) - 1);
    __m512 value = _mm512_maskz_loadu_ps(mask, sums + i);
    if (bias != nullptr) value = _mm512_add_ps(value, _mm512_maskz_loadu_ps(mask, bias + i));
    value = _mm512_max_ps(least, value);
    _mm256_mask_storeu_epi16(to + i, mask, reinterpret_cast<__m256i>(_mm512_cvtneps_pbh(value)));
  }
}

}  // namespace whence::nn::bf16
#endif
