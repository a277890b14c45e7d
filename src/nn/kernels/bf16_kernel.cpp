#include "nn/kernels/bf16_kernel.h"

#include <ATen/Parallel.h>

#include <algorithm>

#include "nn/kernels/bf16_products.h"

namespace whence::nn {

#ifdef WHENCE_HAS_BF16_CODE

namespace {

using namespace bf16;

/// Whether elements with these offsets lie side by side, in this order.
bool lie_together(const std::int32_t* offsets, std::int64_t count) {
  bool together = offsets[0] != KernelOffsets::kNone;
  for (std::int64_t i = 1; i < count; ++i) together &= offsets[i] == offsets[0] + i;
  return together;
}

/// `depth` from `at` on, for 32 elements.
bool depth_lies_together(const KernelOffsets& offsets, std::int64_t at) {
  return lie_together(offsets.depth.data() + at, kDepth);
}

bool columns_lie_together(const KernelOffsets& offsets, std::int64_t at, std::int64_t count) {
  return std::ssize(offsets.column) >= at + count && lie_together(offsets.column.data() + at, count);
}

/// a0 b0 a1 b1 ... of 16 floats each, rounded to the nearest half.
WHENCE_BF16 __m512i side_by_side(__m512 a, __m512 b) {
  const auto low = reinterpret_cast<__m256i>(_mm512_cvtneps_pbh(a));
  const auto high = reinterpret_cast<__m256i>(_mm512_cvtneps_pbh(b));
  return _mm512_or_si512(_mm512_cvtepu16_epi32(low), _mm512_slli_epi32(_mm512_cvtepu16_epi32(high), 16));
}

/// Writes the tiles of 16 columns.
class TilePacker {
 public:
  WHENCE_BF16 TilePacker(const KernelOffsets& offsets, const float* weight, std::int64_t column)
      : offsets_(offsets), weight_(weight), first_(offsets.column.data() + column) {
    const std::int64_t count = std::min(kColumns, std::ssize(offsets.column) - column);
    whole_ = count == kColumns;
    together_ = columns_lie_together(offsets, column, kColumns);
    mask_ = static_cast<__mmask16>((1u << count) - 1);
  }

  WHENCE_BF16 void operator()(Half* to) const {
    for (std::int64_t k = 0; k < std::ssize(offsets_.depth); k += kDepth, to += kTileHalves) {
      if (together_)
        pack_rows(k, to, [this](const float* row) WHENCE_BF16 { return _mm512_loadu_ps(row + *first_); });
      else if (whole_ && depth_lies_together(offsets_, k))
        pack_columns(weight_ + offsets_.depth[static_cast<std::size_t>(k)], to);
      else
        gather(k, to);
    }
  }

 private:
  template <class Load>
  WHENCE_BF16 void pack_rows(std::int64_t k, Half* to, const Load& load) const {
    const auto row = [&](std::int64_t at) WHENCE_BF16 {
      const std::int32_t offset = offsets_.depth[static_cast<std::size_t>(at)];
      return offset == KernelOffsets::kNone ? _mm512_setzero_ps() : load(weight_ + offset);
    };
    for (std::int64_t i = 0; i < kDepth; i += 2)
      _mm512_storeu_si512(to + i * kColumns, side_by_side(row(k + i), row(k + i + 1)));
  }

  WHENCE_BF16 void gather(std::int64_t k, Half* to) const {
    const __m512i columns = _mm512_maskz_loadu_epi32(mask_, first_);
    pack_rows(k, to, [&](const float* row) WHENCE_BF16 {
      return _mm512_mask_i32gather_ps(_mm512_setzero_ps(), mask_, columns, row, 4);
    });
  }

  /// 32 elements of each column lie together.
  WHENCE_BF16 void pack_columns(const float* from, Half* to) const {
    __m512i square[16];
    for (int n = 0; n < kColumns; ++n) {
      const float* column = from + first_[n];
      square[n] = reinterpret_cast<__m512i>(
          _mm512_cvtne2ps_pbh(_mm512_loadu_ps(column + kColumns), _mm512_loadu_ps(column)));
    }
    transpose(square);
    for (int i = 0; i < kRows; ++i) _mm512_storeu_si512(to + i * kDepth, square[i]);
  }

  const KernelOffsets& offsets_;
  const float* weight_;
  const std::int32_t* first_;
  bool whole_, together_;
  __mmask16 mask_;
};

/// to[...] = values, or += values.
WHENCE_BF16 void put_vector(float* to, __m512 values, bool adds) {
  _mm512_storeu_ps(to, adds ? _mm512_add_ps(_mm512_loadu_ps(to), values) : values);
}

/// Sums whose columns lie together in the gradient: 16 x 16 of them at a time change sides.
WHENCE_BF16 void put_transposed(const KernelOffsets& offsets, std::int64_t column, std::int64_t depth,
                                const float* sums, float* gradient, bool adds) {
  const std::int32_t first = offsets.column[static_cast<std::size_t>(column)];
  for (std::int64_t n = 0; n < kBlock; n += kRows) {
    for (std::int64_t k = 0; k < kBlock; k += kColumns) {
      __m512i square[16];
      for (int i = 0; i < kRows; ++i) square[i] = _mm512_loadu_si512(sums + (n + i) * kBlock + k);
      transpose(square);
      for (int i = 0; i < kColumns; ++i) {
        const std::int32_t row = offsets.depth[static_cast<std::size_t>(depth + k + i)];
        if (row != KernelOffsets::kNone)
          put_vector(gradient + row + first + n, _mm512_castsi512_ps(square[i]), adds);
      }
    }
  }
}

void put_single(const KernelOffsets& offsets, std::int64_t column, std::int64_t depth, const float* sums,
                float* gradient, bool adds) {
  const std::int64_t columns = std::min(kBlock, std::ssize(offsets.column) - column);
  for (std::int64_t n = 0; n < columns; ++n) {
    float* to = gradient + offsets.column[static_cast<std::size_t>(column + n)];
    for (std::int64_t k = 0; k < kBlock; ++k) {
      const std::int32_t row = offsets.depth[static_cast<std::size_t>(depth + k)];
      if (row != KernelOffsets::kNone) to[row] = (adds ? to[row] : 0) + sums[n * kBlock + k];
    }
  }
}

}  // namespace

WHENCE_BF16 void bf16::put_square(const KernelOffsets& offsets, std::int64_t column, std::int64_t depth,
                                  const float* sums, float* gradient, bool adds) {
  if (depth_lies_together(offsets, depth)) {
    float* to = gradient + offsets.depth[static_cast<std::size_t>(depth)];
    const std::int64_t columns = std::min(kBlock, std::ssize(offsets.column) - column);
    for (std::int64_t n = 0; n < columns; ++n) {
      for (std::int64_t k = 0; k < kBlock; k += kColumns)
        put_vector(to + offsets.column[static_cast<std::size_t>(column + n)] + k,
                   _mm512_loadu_ps(sums + n * kBlock + k), adds);
    }
  } else if (columns_lie_together(offsets, column, kBlock)) {
    put_transposed(offsets, column, depth, sums, gradient, adds);
  } else {
    put_single(offsets, column, depth, sums, gradient, adds);
  }
}

at::Tensor bf16::pack_kernel(const Patches& patches, const at::Tensor& weight) {
  const std::int64_t blocks = rounded_up(patches.columns(), kColumns) / kColumns;
  const std::int64_t of_block = patches.depth() * kColumns;
  const at::Tensor packed = at::empty({blocks * of_block}, at::kBFloat16);
  auto* to = reinterpret_cast<Half*>(packed.data_ptr<at::BFloat16>());
  const KernelOffsets offsets = kernel_offsets(patches, weight.strides());
  constexpr std::int64_t grain = 1 << 15;
  at::parallel_for(0, blocks, std::max<std::int64_t>(1, grain / of_block),
                   [&](std::int64_t begin, std::int64_t end) {
                     for (std::int64_t block = begin; block < end; ++block)
                       TilePacker(offsets, weight.data_ptr<float>(), block * kColumns)(to + block * of_block);
                   });
  return packed;
}

#else

at::Tensor bf16::pack_kernel(const Patches&, const at::Tensor&) {
  TORCH_CHECK(false, "bfloat16 products are not in this build");
}

#endif

}  // namespace whence::nn
