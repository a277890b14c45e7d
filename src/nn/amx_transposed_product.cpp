#include "nn/amx.h"
#include "nn/amx_strip.h"

namespace whence::nn {

#ifdef WHENCE_HAS_AMX_CODE

namespace {

using namespace amx;

/// What multiply_transposed_patches needs. The images are split into several sums; each gathers positions until they
/// fill blocks that stay in the cache.
struct TransposedProduct {
  static constexpr std::int64_t kPositions = 256;
  // Rows and tiles that are written one after the other are not a power of two apart, which would make them compete
  // for the same few lines of the cache.
  static constexpr std::int64_t kLeftStride = kPositions + kDepth, kTileStride = kTileHalves + kDepth;

  const Patches& patches;
  const Half *input, *gradient;
  std::int64_t parts;
  float* sums;  ///< `parts` matrices of sum_size() floats, in squares of kBlock x kBlock

  Strip strip() const { return {patches}; }
  std::int64_t left_rows() const { return rounded_up(patches.columns(), kBlock); }
  std::int64_t right_columns() const { return rounded_up(patches.depth(), kBlock); }
  std::int64_t tiles() const { return right_columns() / kColumns; }
  std::int64_t sum_size() const { return left_rows() * right_columns(); }
  /// The sum for a column of the kernel matrix and an element of its depth.
  std::int64_t place(std::int64_t column, std::int64_t depth) const {
    const std::int64_t square = column / kBlock * (right_columns() / kBlock) + depth / kBlock;
    return (square * kBlock + column % kBlock) * kBlock + depth % kBlock;
  }

  /// A block of positions: gradients with the positions side by side, patches with pairs of positions side by side.
  struct Block {
    Half *strip, *left, *right, *pairs, *zeros;
    std::int64_t positions = 0;
  };
  std::int64_t scratch() const {
    return std::int64_t{sizeof(Half)} *
           (strip().size() + left_rows() * kLeftStride + kPositions / kDepth * tiles() * kTileStride +
            kDepth * left_rows() + patches.row_depth() + left_rows());
  }
  Block block_in(std::byte* bytes) const {
    Block block{};
    block.strip = reinterpret_cast<Half*>(bytes);
    block.left = block.strip + strip().size();
    block.right = block.left + left_rows() * kLeftStride;
    block.pairs = block.right + kPositions / kDepth * tiles() * kTileStride;
    block.zeros = block.pairs + kDepth * left_rows();
    return block;
  }

  WHENCE_AMX void operator()(std::int64_t part, std::byte* scratch_bytes) const {
    Block block = block_in(scratch_bytes);
    float* sum = sums + part * sum_size();
    for (std::int64_t image = patches.batch * part / parts; image < patches.batch * (part + 1) / parts;
         ++image) {
      strip().fill(input, image, block.strip);
      for (std::int64_t y = 0; y < patches.vertical.grid; ++y) {
        for (std::int64_t x = 0; x < patches.horizontal.grid; x += 2) add_pair(block, image, y, x, sum);
      }
    }
    while (block.positions % kDepth != 0) add_pair(block, -1, 0, 0, sum);
    accumulate(block, sum);
  }

  /// The positions (y, x) and (y, x + 1); zeros for image -1 and past the end of the row.
  WHENCE_AMX void add_pair(Block& block, std::int64_t image, std::int64_t y, std::int64_t x,
                           float* sum) const {
    const std::int64_t step = block.positions / kDepth, pair = block.positions % kDepth / 2;
    const bool first = image >= 0, second = first && x + 1 < patches.horizontal.grid;
    const std::int64_t offset = (y * strip().slots() + x) * strip().stride();
    Half* tile = block.right + step * tiles() * kTileStride + pair * kDepth;
    const std::int64_t depth = patches.row_depth(), stride = strip().stride();
    for (std::int64_t tap = 0; tap < patches.taps; ++tap) {
      const Half* row = strip().row_of_tap(block.strip, tap) + offset;
      const Half *a = first ? row : block.zeros, *b = second ? row + stride : block.zeros;
      for (std::int64_t j = 0; j < depth; j += kColumns, tile += kTileStride)
        _mm512_storeu_si512(tile, interleaved(a + j, b + j));
    }
    std::int64_t column = 0;
    for (std::int64_t i = 0; i < patches.phases; ++i) {
      for (std::int64_t j = 0; j < patches.phases; ++j, column += patches.output_channels) {
        const std::int64_t a = first ? pixel_of(patches, image, y, x, i, j) : -1;
        const std::int64_t b = second ? pixel_of(patches, image, y, x + 1, i, j) : -1;
        add_gradients(a < 0 ? block.zeros : gradient + a, b < 0 ? block.zeros : gradient + b, column,
                      block.pairs + pair * kDepth);
      }
    }
    block.positions += 2;
    if (block.positions % kDepth == 0) transpose_pairs(block, step);
    if (block.positions == kPositions) accumulate(block, sum);
  }
  /// pairs: squares of 16 pairs x 16 columns.
  WHENCE_AMX void add_gradients(const Half* a, const Half* b, std::int64_t column, Half* pairs) const {
    const std::int64_t channels = patches.output_channels;
    for (std::int64_t o = 0; o < channels;) {
      const std::int64_t to = column + o;
      const std::int64_t count = std::min(channels - o, kColumns - to % kColumns);
      const auto mask = static_cast<__mmask16>((1u << count) - 1);
      _mm512_mask_storeu_epi32(pairs + to / kColumns * kColumns * kDepth + to % kColumns * 2, mask,
                               interleaved(a + o, b + o, mask));
      o += count;
    }
  }

  WHENCE_AMX void transpose_pairs(const Block& block, std::int64_t step) const {
    for (std::int64_t j = 0; j < left_rows(); j += kRows) {
      __m512i square[16];
      for (int i = 0; i < 16; ++i) square[i] = _mm512_loadu_si512(block.pairs + (j + i) * kDepth);
      transpose(square);
      for (int i = 0; i < 16; ++i)
        _mm512_storeu_si512(block.left + (j + i) * kLeftStride + step * kDepth, square[i]);
    }
  }

  WHENCE_AMX void accumulate(Block& block, float* sum) const {
    const Half* start = block.left;
    const LeftMatrix left{&start, 1, block.positions / kDepth, kLeftStride};
    for (std::int64_t j = 0; j < right_columns(); j += kBlock) {
      const Half* tile = block.right + j / kColumns * kTileStride;
      for (std::int64_t i = 0; i < left_rows(); i += kBlock)
        multiply_block(left, i * kLeftStride, {tile, tile + kTileStride, tiles() * kTileStride},
                       sum + place(i, j), kBlock, true);
    }
    block.positions = 0;
  }
};

}  // namespace

void multiply_transposed_patches(const Patches& patches, const at::Tensor& input,
                                 const at::Tensor& output_gradient, const at::Tensor& weight_gradient) {
  const std::int64_t parts = at::in_parallel_region() ? 1 : 4;  // the caller alone, or any number of threads
  TransposedProduct product{patches, halves(input), halves(output_gradient), parts, nullptr};
  const at::Tensor sums = at::zeros({parts, product.sum_size()}, at::kFloat);
  product.sums = sums.data_ptr<float>();
  for_each_block(parts, product.scratch(), product);

  const at::Tensor sum = parts == 1 ? sums : sums.sum(0);
  const KernelOffsets offsets = kernel_offsets(patches, weight_gradient.strides());
  const float* from = sum.data_ptr<float>();
  auto* to = weight_gradient.data_ptr<float>();
  for (std::size_t n = 0; n < offsets.column.size(); ++n) {
    for (std::size_t k = 0; k < offsets.depth.size(); ++k) {
      if (offsets.depth[k] == KernelOffsets::kNone) continue;
      to[offsets.depth[k] + offsets.column[n]] =
          from[product.place(static_cast<std::int64_t>(n), static_cast<std::int64_t>(k))];
    }
  }
}

#else

void multiply_transposed_patches(const Patches&, const at::Tensor&, const at::Tensor&, const at::Tensor&) {
  TORCH_CHECK(false, "AMX is not in this build");
}

#endif

}  // namespace whence::nn
