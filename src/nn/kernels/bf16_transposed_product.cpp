#include "nn/kernels/bf16_kernel.h"
#include "nn/kernels/bf16_products.h"
#include "nn/kernels/bf16_small_grid.h"
#include "nn/kernels/bf16_strip.h"

namespace whence::nn {

#ifdef WHENCE_HAS_BF16_CODE

namespace {

using namespace bf16;

/// What multiply_transposed_patches needs. The images are split into several sums. A block is some images, or a piece of
/// a large one, whose sums are added up in the tile registers before they go to memory.
///
/// The positions of an image are its grid, row by row, each row padded to an even number, all to a multiple of a tile's
/// depth. Two positions side by side are a record: the rows of their patches, element by element. A line of the image
/// has the same records whatever row of the kernel meets it, so that they are laid out once, and all products read them
/// where they lie.
struct TransposedProduct {
  static constexpr std::int64_t kPositions = 256;
  // Rows that are read together are not a power of two apart, which would make them compete for the same few lines of
  // the cache.
  static constexpr std::int64_t kLeftStride = kPositions + kDepth;

  const Patches& patches;
  const Half *input, *gradient;
  std::int64_t parts;
  float* sums;  ///< `parts` matrices of sum_size() floats, in squares of kBlock x kBlock

  HalfStrip strip() const { return {{patches}}; }
  std::int64_t left_rows() const { return rounded_up(patches.columns(), kBlock); }
  std::int64_t sum_size() const { return left_rows() * patches.depth(); }
  /// The sum for a column of the kernel matrix and an element of its depth.
  std::int64_t place(std::int64_t column, std::int64_t depth) const {
    const std::int64_t square = column / kBlock * (patches.depth() / kBlock) + depth / kBlock;
    return (square * kBlock + column % kBlock) * kBlock + depth % kBlock;
  }

  std::int64_t pitch() const { return rounded_up(patches.horizontal.grid, 2); }
  std::int64_t image_positions() const { return rounded_up(patches.vertical.grid * pitch(), kDepth); }
  std::int64_t record() const { return 2 * patches.row_depth() + kDepth; }  ///< halves
  /// Halves of an image's records; a tile may begin with the last one.
  std::int64_t records_size() const {
    return (patches.step * strip().lines() * pitch() / 2 + kRows) * record();
  }
  /// The first record for a row of the kernel.
  std::int64_t record_of_tap(std::int64_t tap) const {
    return (tap % patches.step * strip().lines() + tap / patches.step) * pitch() / 2 * record();
  }
  std::int64_t images_of_block() const { return std::max<std::int64_t>(1, kPositions / image_positions()); }

  struct Scratch {
    Half *strip, *records, *left, *pairs, *zeros;
  };
  std::int64_t scratch() const {
    return std::int64_t{sizeof(Half)} * (strip().size() + images_of_block() * records_size() +
                                         left_rows() * kLeftStride + kDepth * left_rows() + left_rows());
  }
  Scratch scratch_in(std::byte* bytes) const {
    Scratch scratch{};
    scratch.strip = reinterpret_cast<Half*>(bytes);
    scratch.records = scratch.strip + strip().size();
    scratch.left = scratch.records + images_of_block() * records_size();
    scratch.pairs = scratch.left + left_rows() * kLeftStride;
    scratch.zeros = scratch.pairs + kDepth * left_rows();
    return scratch;
  }

  WHENCE_BF16 void operator()(std::int64_t part, std::byte* bytes) const {
    const Scratch scratch = scratch_in(bytes);
    const std::int64_t end = patches.batch * (part + 1) / parts;
    for (std::int64_t image = patches.batch * part / parts; image < end; image += images_of_block()) {
      const std::int64_t images = std::min(images_of_block(), end - image);
      for (std::int64_t i = 0; i < images; ++i) lay_out(image + i, scratch, i * records_size());
      for (std::int64_t first = 0; first < image_positions(); first += kPositions) {
        const std::int64_t count = std::min(kPositions, image_positions() - first);
        for (std::int64_t i = 0; i < images; ++i)
          transpose_gradients(image + i, first, count, i * count, scratch);
        accumulate(images, first, count, scratch, sums + part * sum_size());
      }
    }
  }

  /// The records of an image.
  WHENCE_BF16 void lay_out(std::int64_t image, const Scratch& scratch, std::int64_t offset) const {
    strip().fill(input, image, scratch.strip);
    Half* to = scratch.records + offset;
    const std::int64_t stride = strip().stride();
    for (std::int64_t line = 0; line < patches.step * strip().lines(); ++line) {
      const Half* row = scratch.strip + line * strip().line();
      for (std::int64_t x = 0; x < pitch(); x += 2, row += 2 * stride, to += record()) {
        for (std::int64_t k = 0; k < patches.row_depth(); k += kColumns)
          _mm512_storeu_si512(to + 2 * k, interleaved(row + k, row + stride + k));
      }
    }
  }

  /// The gradients of `count` positions of an image, positions side by side, as columns from `offset` on.
  WHENCE_BF16 void transpose_gradients(std::int64_t image, std::int64_t first, std::int64_t count,
                                       std::int64_t offset, const Scratch& scratch) const {
    std::int64_t y = first / pitch(), x = first % pitch();
    for (std::int64_t position = 0; position < count; position += 2) {
      add_pair(image, y, x, scratch.zeros, scratch.pairs + position % kDepth / 2 * kDepth);
      if (position % kDepth == kDepth - 2) transpose_pairs(scratch, offset + position - kDepth + 2);
      x += 2;
      if (x == pitch()) {
        x = 0;
        ++y;
      }
    }
  }

  /// The gradients at (y, x) and (y, x + 1), side by side; zeros outside of the grid. pairs: squares of 16 pairs x 16
  /// columns.
  WHENCE_BF16 void add_pair(std::int64_t image, std::int64_t y, std::int64_t x, const Half* zeros,
                            Half* pairs) const {
    const bool first = y < patches.vertical.grid, second = first && x + 1 < patches.horizontal.grid;
    std::int64_t column = 0;
    for (std::int64_t i = 0; i < patches.phases; ++i) {
      for (std::int64_t j = 0; j < patches.phases; ++j, column += patches.output_channels) {
        const std::int64_t a = first ? pixel_of(patches, image, y, x, i, j) : -1;
        const std::int64_t b = second ? pixel_of(patches, image, y, x + 1, i, j) : -1;
        add_channels(a < 0 ? zeros : gradient + a, b < 0 ? zeros : gradient + b, column, pairs);
      }
    }
  }

  WHENCE_BF16 void add_channels(const Half* a, const Half* b, std::int64_t column, Half* pairs) const {
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

  WHENCE_BF16 void transpose_pairs(const Scratch& scratch, std::int64_t position) const {
    for (std::int64_t j = 0; j < left_rows(); j += kRows) {
      __m512i square[16];
      for (int i = 0; i < 16; ++i) square[i] = _mm512_loadu_si512(scratch.pairs + (j + i) * kDepth);
      transpose(square);
      for (int i = 0; i < 16; ++i)
        _mm512_storeu_si512(scratch.left + (j + i) * kLeftStride + position, square[i]);
    }
  }

  WHENCE_BF16 void accumulate(std::int64_t images, std::int64_t first, std::int64_t count,
                              const Scratch& scratch, float* sum) const {
    std::vector<const Half*> lefts;
    for (std::int64_t i = 0; i < images; ++i) lefts.push_back(scratch.left + i * count);
    const std::int64_t positions = std::min(count, patches.vertical.grid * pitch() - first);
    const LeftMatrix left{lefts.data(), images, count / kDepth, kLeftStride, positions};
    const std::int64_t width = patches.row_depth(), elements = patches.taps * patches.channels;
    for (std::int64_t j = 0; j < patches.depth(); j += kBlock) {
      const Half* tile = scratch.records + record_of_tap(j / width) + first / 2 * record() + 2 * (j % width);
      const bool two = on_tiles() || elements - j % width > kColumns;
      const RightMatrix right{tile, two ? tile + kDepth : nullptr, kRows * record(), records_size(),
                              record()};
      for (std::int64_t i = 0; i < patches.columns(); i += kBlock)
        multiply_block(left, i * kLeftStride, right, sum + place(i, j), kBlock, true, patches.columns() - i);
    }
  }

  /// Puts the sums where they belong in the gradient of a weight.
  void scatter(const float* sum, const at::Tensor& weight) const {
    const KernelOffsets offsets = kernel_offsets(patches, weight.strides());
    const std::int64_t across = left_rows() / kBlock, squares = across * (patches.depth() / kBlock);
    constexpr std::int64_t grain = 64;
    at::parallel_for(0, squares, grain, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t square = begin; square < end; ++square) {
        const std::int64_t column = square % across * kBlock, depth = square / across * kBlock;
        put_square(offsets, column, depth, sum + place(column, depth), weight.data_ptr<float>(), false);
      }
    });
  }
};

}  // namespace

void bf16::multiply_transposed_patches(const Patches& patches, const at::Tensor& input,
                                       const at::Tensor& output_gradient, const at::Tensor& weight_gradient) {
  if (has_small_grid(patches))
    return multiply_transposed_small_grid(patches, input, output_gradient, weight_gradient);
  const std::int64_t parts = at::in_parallel_region() ? 1 : 4;  // the caller alone, or any number of threads
  TransposedProduct product{patches, halves(input), halves(output_gradient), parts, nullptr};
  const at::Tensor sums = at::zeros({parts, product.sum_size()}, at::kFloat);
  product.sums = sums.data_ptr<float>();
  for_each_block(parts, product.scratch(), product);

  const at::Tensor sum = parts == 1 ? sums : sums.sum(0);
  product.scatter(sum.data_ptr<float>(), weight_gradient);
}

#else

void bf16::multiply_transposed_patches(const Patches&, const at::Tensor&, const at::Tensor&,
                                       const at::Tensor&) {
  TORCH_CHECK(false, "bfloat16 products are not in this build");
}

#endif

}  // namespace whence::nn
