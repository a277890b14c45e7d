#include "nn/kernels/bf16_small_grid.h"

#include "nn/kernels/bf16_strip.h"

namespace whence::nn {

#ifdef WHENCE_HAS_BF16_CODE

namespace {

using namespace bf16;

/// What multiply_small_grid needs, for 32 columns and a row of the grid at a time.
struct Product : PatchProduct {
  using PatchProduct::PatchProduct;

  std::int64_t blocks() const { return patches.columns() / kBlock * patches.vertical.grid; }
  static constexpr std::int64_t scratch() { return kBlock * kBlock * std::int64_t{sizeof(float)}; }

  WHENCE_BF16 void operator()(std::int64_t block, std::byte* scratch_bytes) const {
    const std::int64_t column = block / patches.vertical.grid * kBlock, y = block % patches.vertical.grid;
    auto* sums = reinterpret_cast<float*>(scratch_bytes);
    for (std::int64_t image = 0; image < patches.batch; image += kBlock)
      for (std::int64_t x = 0; x < patches.horizontal.grid; ++x)
        multiply(first_of_block(image), column, y, x, sums);
  }

  /// Tiles have all of their rows, and multiply some images of the block before once more where the last is not whole.
  std::int64_t first_of_block(std::int64_t image) const {
    return on_tiles() ? std::min(image, patches.batch - kBlock) : image;
  }

  /// Of 32 images, or those that are left, from `image` on.
  WHENCE_BF16 void multiply(std::int64_t image, std::int64_t column, std::int64_t y, std::int64_t x,
                            float* sums) const {
    const Meeting down = taps_at(patches, patches.vertical, y);
    const Meeting right = taps_at(patches, patches.horizontal, x);
    const std::int64_t line = patches.horizontal.input * patches.channels;
    std::vector<const Half*> rows;
    for (std::int64_t tap = down.begin; tap < down.end; ++tap)
      rows.push_back(input + (down.pixel + tap - down.begin) * line + right.pixel * patches.channels);
    const std::int64_t steps = (right.end - right.begin) * patches.channels / kDepth;
    const LeftMatrix left{rows.data(), std::ssize(rows), steps, patches.vertical.input * line};

    const std::int64_t tiles_of_column = patches.depth() / kDepth * kTileHalves;
    const std::int64_t tiles_of_tap = patches.row_depth() / kDepth * kTileHalves;
    const Half* tiles = kernel + column / kColumns * tiles_of_column + down.begin * tiles_of_tap +
                        right.begin * patches.channels / kDepth * kTileHalves;
    const std::int64_t count = std::min(kBlock, patches.batch - image);
    multiply_block(left, image * left.stride, {tiles, tiles + tiles_of_column, kTileHalves, tiles_of_tap},
                   sums, kBlock, false, count);
    for (std::int64_t i = 0; i < count; ++i) write(image + i, y, x, column, sums + i * kBlock);
  }

  WHENCE_BF16 void write(std::int64_t image, std::int64_t y, std::int64_t x, std::int64_t column,
                         const float* sums) const {
    const std::int64_t phase = column / patches.output_channels, channel = column % patches.output_channels;
    const std::int64_t pixel = pixel_of(patches, image, y, x, phase / patches.phases, phase % patches.phases);
    if (pixel >= 0)
      finish(sums, bias == nullptr ? nullptr : bias + channel, floor, output + pixel + channel, kBlock);
  }
};

/// Vectors take up to 8 rows at once, and share rows out evenly.
double rows_at_once(std::int64_t rows) {
  const std::int64_t groups = (rows + 7) / 8;
  return static_cast<double>(rows) / static_cast<double>(groups);
}

/// Tiles take 32 rows, whatever use they have.
double use_of_rows(std::int64_t used, std::int64_t rows) {
  return static_cast<double>(used) / static_cast<double>(rounded_up(rows, kBlock));
}

/// Whether images fill the registers no worse than positions.
bool images_fill(const Patches& patches) {
  const std::int64_t width = patches.horizontal.grid;
  if (!on_tiles()) return rows_at_once(patches.batch) >= rows_at_once(width);
  return patches.batch >= kBlock &&
         use_of_rows(patches.batch, patches.batch) >=
             use_of_rows(patches.vertical.grid * width, Strip{patches}.positions());
}

}  // namespace

bool has_small_grid(const Patches& patches) {
  constexpr std::int64_t side = 14;
  return patches.vertical.grid <= side && patches.horizontal.grid <= side && images_fill(patches) &&
         patches.channels % kBlock == 0 && patches.output_channels % kBlock == 0;
}

void multiply_small_grid(const Patches& patches, const at::Tensor& input, const at::Tensor& kernel,
                         const at::Tensor& bias, float floor, const at::Tensor& output) {
  const Product product(patches, input, kernel, bias, floor, output);
  for_each_block(product.blocks(), Product::scratch(), product);
}

#else

bool has_small_grid(const Patches&) { return false; }
void multiply_small_grid(const Patches&, const at::Tensor&, const at::Tensor&, const at::Tensor&, float,
                         const at::Tensor&) {
  TORCH_CHECK(false, "bfloat16 products are not in this build");
}

#endif

}  // namespace whence::nn
