#include "nn/kernels/f32_block.h"

#ifdef WHENCE_HAS_F32_CODE

#include <immintrin.h>

#include <algorithm>
#include <utility>

#include "whence/platform/processor.h"

namespace whence::nn::f32 {
namespace {

namespace avx2 {

#define WHENCE_F32 __attribute__((target("avx2,fma")))

using Vector = __m256;
constexpr std::int64_t kLanes = 8;
/// Of 16 registers twelve hold sums. Two instructions a cycle, each of which takes four, keep eight sums busy.
constexpr int kRows = 6, kNarrowRows = 8;

WHENCE_F32 inline Vector load(const float* from) { return _mm256_loadu_ps(from); }
WHENCE_F32 inline Vector repeated(const float* from) { return _mm256_broadcast_ss(from); }
WHENCE_F32 inline void store(float* to, Vector value) { _mm256_storeu_ps(to, value); }
WHENCE_F32 inline Vector larger(Vector a, Vector b) { return _mm256_max_ps(a, b); }
WHENCE_F32 inline Vector multiply_add(Vector a, Vector b, Vector sum) { return _mm256_fmadd_ps(a, b, sum); }

#include "nn/kernels/f32_block.inc"
#undef WHENCE_F32

}  // namespace avx2

namespace avx512 {

#define WHENCE_F32 __attribute__((target("avx512f")))

using Vector = __m512;
constexpr std::int64_t kLanes = 16;
/// As many as leave GCC general registers enough for the beginnings of the rows; from twelve on it spills vectors.
constexpr int kRows = 11, kNarrowRows = 11;

WHENCE_F32 inline Vector load(const float* from) { return _mm512_loadu_ps(from); }
WHENCE_F32 inline Vector repeated(const float* from) { return _mm512_set1_ps(*from); }
WHENCE_F32 inline void store(float* to, Vector value) { _mm512_storeu_ps(to, value); }
WHENCE_F32 inline Vector larger(Vector a, Vector b) { return _mm512_max_ps(a, b); }
WHENCE_F32 inline Vector multiply_add(Vector a, Vector b, Vector sum) { return _mm512_fmadd_ps(a, b, sum); }

#include "nn/kernels/f32_block.inc"
#undef WHENCE_F32

}  // namespace avx512

constexpr Blocks kAll[] = {avx512::kBlocks, avx2::kBlocks};

}  // namespace

std::span<const Blocks> supported_blocks() {
  static const std::span<const Blocks> supported = std::span(kAll).subspan(has_avx512() ? 0
                                                                           : has_avx2() ? 1
                                                                                        : std::size(kAll));
  return supported;
}

}  // namespace whence::nn::f32
#endif
