#include "nn/kernels/bf16_products.h"
#include "nn/kernels/bf16_small_grid.h"
#include "nn/kernels/bf16_strip.h"

namespace whence::nn {

#ifdef WHENCE_HAS_BF16_CODE

namespace {

using namespace bf16;

/// What multiply_patches needs, for an image at a time.
struct Product : PatchProduct {
  using PatchProduct::PatchProduct;

  HalfStrip strip() const { return {{patches}}; }
  std::int64_t width() const { return rounded_up(patches.columns(), kColumns); }
  std::int64_t scratch() const {
    return strip().size() * std::int64_t{sizeof(Half)} + kBlock * width() * std::int64_t{sizeof(float)};
  }

  WHENCE_BF16 void operator()(std::int64_t image, std::byte* scratch_bytes) const {
    auto* halves_of_strip = reinterpret_cast<Half*>(scratch_bytes);
    auto* sums = reinterpret_cast<float*>(halves_of_strip + strip().size());
    strip().fill(input, image, halves_of_strip);
    std::vector<const Half*> rows;
    for (std::int64_t tap = 0; tap < patches.taps; ++tap)
      rows.push_back(strip().row_of_tap(halves_of_strip, tap));
    if (on_tiles())
      multiply_blocks(image, rows, sums);
    else
      multiply_rows_of_grid(image, rows, sums);
  }

  /// 32 positions at a time, also those between the rows of the grid.
  WHENCE_BF16 void multiply_blocks(std::int64_t image, const std::vector<const Half*>& rows,
                                   float* sums) const {
    const LeftMatrix left{rows.data(), patches.taps, patches.row_depth() / kDepth, strip().stride()};
    const std::int64_t tiles_of_column = patches.depth() / kDepth * kTileHalves;
    for (std::int64_t first = 0; first < strip().positions(); first += kBlock) {
      for (std::int64_t j = 0; j < width(); j += 2 * kColumns) {
        const Half* tiles = kernel + j / kColumns * tiles_of_column;
        const Half* second = j + kColumns < width() ? tiles + tiles_of_column : nullptr;
        multiply_block(left, first * left.stride, {tiles, second, kTileHalves, left.steps * kTileHalves},
                       sums + j, width(), false);
      }
      write(image, first, sums);
    }
  }

  /// Only positions of the grid, without the taps that fall outside of the image.
  WHENCE_BF16 void multiply_rows_of_grid(std::int64_t image, const std::vector<const Half*>& rows,
                                         float* sums) const {
    const PatchSide &vertical = patches.vertical, &horizontal = patches.horizontal;
    const std::int64_t tiles_of_column = patches.depth() / kDepth * kTileHalves;
    const std::int64_t tiles_of_tap = patches.row_depth() / kDepth * kTileHalves;
    for (std::int64_t y = 0; y < vertical.grid; ++y) {
      const auto [begin, end, pixel] = taps_at(patches, vertical, y);
      const LeftMatrix left{rows.data() + begin, end - begin, patches.row_depth() / kDepth, strip().stride(),
                            patches.taps * patches.channels};
      for (std::int64_t x = 0; x < horizontal.grid; x += kBlock) {
        const std::int64_t count = std::min(kBlock, horizontal.grid - x);
        for (std::int64_t j = 0; j < width(); j += 2 * kColumns) {
          const Half* tiles = kernel + j / kColumns * tiles_of_column + begin * tiles_of_tap;
          const Half* second = j + kColumns < width() ? tiles + tiles_of_column : nullptr;
          multiply_on_vectors(left, (y * strip().slots() + x) * left.stride,
                              {tiles, second, kTileHalves, tiles_of_tap}, sums + j, width(), false, count);
        }
        for (std::int64_t i = 0; i < count; ++i) write_position(image, y, x + i, sums + i * width());
      }
    }
  }

  WHENCE_BF16 void write(std::int64_t image, std::int64_t first, const float* sums) const {
    const std::int64_t slots = strip().slots();
    std::int64_t y = first / slots, x = first % slots;
    for (std::int64_t i = 0; i < kBlock; ++i, sums += width()) {
      if (y >= patches.vertical.grid) return;
      if (x < patches.horizontal.grid) write_position(image, y, x, sums);
      if (++x == slots) {
        x = 0;
        ++y;
      }
    }
  }

  WHENCE_BF16 void write_position(std::int64_t image, std::int64_t y, std::int64_t x,
                                  const float* sums) const {
    for (std::int64_t i = 0; i < patches.phases; ++i) {
      for (std::int64_t j = 0; j < patches.phases; ++j, sums += patches.output_channels) {
        const std::int64_t pixel = pixel_of(patches, image, y, x, i, j);
        if (pixel >= 0) finish(sums, bias, floor, output + pixel, patches.output_channels);
      }
    }
  }
};

}  // namespace

void bf16::multiply_patches(const Patches& patches, const at::Tensor& input, const at::Tensor& kernel,
                            const at::Tensor& bias, float floor, const at::Tensor& output) {
  if (has_small_grid(patches)) return multiply_small_grid(patches, input, kernel, bias, floor, output);
  const Product product(patches, input, kernel, bias, floor, output);
  for_each_block(patches.batch, product.scratch(), product);
}

#else

void bf16::multiply_patches(const Patches&, const at::Tensor&, const at::Tensor&, const at::Tensor&, float,
                            const at::Tensor&) {
  TORCH_CHECK(false, "bfloat16 products are not in this build");
}

#endif

}  // namespace whence::nn
