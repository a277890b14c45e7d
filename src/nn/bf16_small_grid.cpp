#include "nn/bf16_small_grid.h"

#include "nn/bf16_strip.h"

namespace whence::nn {

#ifdef WHENCE_HAS_BF16_CODE

namespace {

using namespace bf16;

/// The taps along one side that meet a pixel from a position.
struct Taps {
  std::int64_t begin, end;  ///< of the kernel
  std::int64_t pixel;       ///< that the first of them meets
};

Taps taps_at(const Patches& patches, const PatchSide& side, std::int64_t position) {
  const std::int64_t first = patches.step * position - side.margin;
  const std::int64_t begin = std::clamp<std::int64_t>(-first, 0, patches.taps);
  return {begin, std::clamp<std::int64_t>(side.input - first, begin, patches.taps), first + begin};
}

/// The positions along one side that a tap meets a pixel from.
struct Positions {
  std::int64_t begin, end;
  std::int64_t pixel;  ///< that the first of them meets
};

Positions positions_of(const Patches& patches, const PatchSide& side, std::int64_t tap) {
  Positions met{side.grid, side.grid, 0};
  for (std::int64_t position = side.grid; position-- > 0;) {
    const std::int64_t pixel = patches.step * position - side.margin + tap;
    if (pixel >= side.input) met.end = position;
    if (pixel >= 0 && pixel < side.input) met = {position, met.end, pixel};
  }
  return {met.begin, std::max(met.begin, met.end), met.pixel};
}

/// What multiply_small_grid needs, for 32 columns and a row of the grid at a time.
struct Product {
  const Patches& patches;
  const Half *input, *kernel;
  const float* bias;
  float floor;
  Half* output;

  std::int64_t blocks() const { return patches.columns() / kBlock * patches.vertical.grid; }
  static constexpr std::int64_t scratch() { return kBlock * kBlock * std::int64_t{sizeof(float)}; }

  WHENCE_BF16 void operator()(std::int64_t block, std::byte* scratch_bytes) const {
    const std::int64_t column = block / patches.vertical.grid * kBlock, y = block % patches.vertical.grid;
    auto* sums = reinterpret_cast<float*>(scratch_bytes);
    for (std::int64_t x = 0; x < patches.horizontal.grid; ++x) multiply(column, y, x, sums);
  }

  WHENCE_BF16 void multiply(std::int64_t column, std::int64_t y, std::int64_t x, float* sums) const {
    const Taps down = taps_at(patches, patches.vertical, y), right = taps_at(patches, patches.horizontal, x);
    const std::int64_t line = patches.horizontal.input * patches.channels;
    std::vector<const Half*> rows;
    for (std::int64_t tap = down.begin; tap < down.end; ++tap)
      rows.push_back(input + (down.pixel + tap - down.begin) * line + right.pixel * patches.channels);
    const LeftMatrix left{rows.data(), std::ssize(rows),
                          (right.end - right.begin) * patches.channels / kDepth,
                          patches.vertical.input * line};
    const std::int64_t tiles_of_column = patches.depth() / kDepth * kTileHalves;
    const std::int64_t tiles_of_tap = patches.row_depth() / kDepth * kTileHalves;
    const Half* tiles = kernel + column / kColumns * tiles_of_column + down.begin * tiles_of_tap +
                        right.begin * patches.channels / kDepth * kTileHalves;
    const RightMatrix tile_pair{tiles, tiles + tiles_of_column, kTileHalves, tiles_of_tap};
    for (std::int64_t image = 0; image < patches.batch; image += kBlock) {
      const std::int64_t count = std::min(kBlock, patches.batch - image);
      multiply_on_vectors(left, image * left.stride, tile_pair, sums, kBlock, false, count);
      for (std::int64_t i = 0; i < count; ++i) write(image + i, y, x, column, sums + i * kBlock);
    }
  }

  WHENCE_BF16 void write(std::int64_t image, std::int64_t y, std::int64_t x, std::int64_t column,
                         const float* sums) const {
    const std::int64_t phase = column / patches.output_channels, channel = column % patches.output_channels;
    const std::int64_t pixel = pixel_of(patches, image, y, x, phase / patches.phases, phase % patches.phases);
    if (pixel >= 0)
      finish(sums, bias == nullptr ? nullptr : bias + channel, floor, output + pixel + channel, kBlock);
  }
};

/// What multiply_transposed_small_grid needs, for 32 columns of the kernel and 32 channels at a time. The depth of its
/// products is the images, two side by side, at each position that a tap meets a pixel from.
struct TransposedProduct {
  const Patches& patches;
  const Half *input, *gradient;
  Half* lefts;   ///< gradients: column, position, image; rows are left_stride() apart
  Half* rights;  ///< pixels: 32 channels, pixel, pair of images, channel
  const KernelOffsets& offsets;
  float* weight;

  std::int64_t images() const { return rounded_up(patches.batch, kDepth); }
  std::int64_t pixels() const { return patches.vertical.input * patches.horizontal.input; }
  std::int64_t positions() const { return patches.vertical.grid * patches.horizontal.grid; }
  /// Not a power of two: rows are read together, and would compete for the same lines of the cache.
  std::int64_t left_stride() const { return positions() * images() + kDepth; }
  std::int64_t left_size() const { return patches.columns() * left_stride(); }
  std::int64_t of_pixel() const { return images() * kBlock; }  ///< halves
  std::int64_t right_size() const { return patches.channels / kBlock * pixels() * of_pixel(); }

  std::int64_t blocks() const { return patches.columns() / kBlock * (patches.channels / kBlock); }
  std::int64_t scratch() const {
    return patches.taps * patches.taps * kBlock * kBlock * std::int64_t{sizeof(float)};
  }

  WHENCE_BF16 void operator()(std::int64_t block, std::byte* scratch_bytes) const {
    const std::int64_t groups = patches.channels / kBlock;
    const std::int64_t column = block / groups * kBlock, group = block % groups;
    auto* sums = reinterpret_cast<float*>(scratch_bytes);
    for (std::int64_t tap = 0; tap < patches.taps * patches.taps; ++tap)
      multiply(column, group, tap / patches.taps, tap % patches.taps, sums + tap * kBlock * kBlock);
    scatter(column, group * kBlock, sums);
  }

  WHENCE_BF16 void multiply(std::int64_t column, std::int64_t group, std::int64_t tap_y, std::int64_t tap_x,
                            float* sums) const {
    const Positions down = positions_of(patches, patches.vertical, tap_y);
    const Positions right = positions_of(patches, patches.horizontal, tap_x);
    std::fill_n(sums, kBlock * kBlock, 0.0f);
    for (std::int64_t y = down.begin; y < down.end; ++y) {
      std::vector<const Half*> pieces;
      for (std::int64_t x = right.begin; x < right.end; ++x)
        pieces.push_back(lefts + (y * patches.horizontal.grid + x) * images());
      const LeftMatrix left{pieces.data(), std::ssize(pieces), images() / kDepth, left_stride(),
                            patches.batch};
      const std::int64_t row = down.pixel + patches.step * (y - down.begin);
      const Half* first =
          rights + (group * pixels() + row * patches.horizontal.input + right.pixel) * of_pixel();
      multiply_on_vectors(left, column * left_stride(),
                          {first, first + kDepth, kRows * 2 * kBlock, patches.step * of_pixel(), 2 * kBlock},
                          sums, kBlock, true);
    }
  }

  void scatter(std::int64_t column, std::int64_t channel, const float* sums) const {
    for (std::int64_t n = 0; n < kBlock; ++n) {
      for (std::int64_t tap = 0; tap < patches.taps * patches.taps; ++tap) {
        const float* from = sums + (tap * kBlock + n) * kBlock;
        const std::int32_t* depth = offsets.depth.data() + tap / patches.taps * patches.row_depth() +
                                    tap % patches.taps * patches.channels + channel;
        float* to = weight + offsets.column[static_cast<std::size_t>(column + n)];
        for (std::int64_t k = 0; k < kBlock; ++k) to[depth[k]] = from[k];
      }
    }
  }

  /// Of an image; null behind the last one.
  const Half* pixel(std::int64_t image, std::int64_t at) const {
    return image < patches.batch ? input + (image * pixels() + at) * patches.channels : nullptr;
  }

  /// Lays out the pixels of two images.
  WHENCE_BF16 void lay_out(std::int64_t pair) const {
    for (std::int64_t at = 0; at < pixels(); ++at) {
      const Half *a = pixel(2 * pair, at), *b = pixel(2 * pair + 1, at);
      for (std::int64_t c = 0; c < patches.channels; c += kColumns) {
        Half* to = rights + (c / kBlock * pixels() + at) * of_pixel() + pair * 2 * kBlock + c % kBlock * 2;
        _mm512_storeu_si512(to, side_by_side(a, b, c));
      }
    }
  }

  WHENCE_BF16 static __m512i side_by_side(const Half* a, const Half* b, std::int64_t first) {
    static constexpr Half zeros[kColumns] = {};
    return interleaved(a == nullptr ? zeros : a + first, b == nullptr ? zeros : b + first);
  }

  /// Transposes the gradients of a phase at a position.
  WHENCE_BF16 void transpose_gradients(std::int64_t position, std::int64_t phase) const {
    const std::int64_t y = position / patches.horizontal.grid, x = position % patches.horizontal.grid;
    const auto of_image = [&](std::int64_t image) -> const Half* {
      if (image >= patches.batch) return nullptr;
      const std::int64_t at = pixel_of(patches, image, y, x, phase / patches.phases, phase % patches.phases);
      return at < 0 ? nullptr : gradient + at;
    };
    for (std::int64_t image = 0; image < images(); image += kDepth) {
      for (std::int64_t c = 0; c < patches.output_channels; c += kColumns) {
        __m512i square[16];
        for (int i = 0; i < 16; ++i)
          square[i] = side_by_side(of_image(image + 2 * i), of_image(image + 2 * i + 1), c);
        transpose(square);
        Half* to =
            lefts + (phase * patches.output_channels + c) * left_stride() + position * images() + image;
        for (int i = 0; i < 16; ++i) _mm512_storeu_si512(to + i * left_stride(), square[i]);
      }
    }
  }
};

}  // namespace

bool has_small_grid(const Patches& patches) {
  constexpr std::int64_t side = 14, filled = 8;
  return !on_tiles() && patches.vertical.grid <= side && patches.horizontal.grid <= side &&
         patches.batch >= filled && patches.channels % kBlock == 0 && patches.output_channels % kBlock == 0;
}

void multiply_small_grid(const Patches& patches, const at::Tensor& input, const at::Tensor& kernel,
                         const at::Tensor& bias, float floor, const at::Tensor& output) {
  const Product product{patches,        halves(input),
                        halves(kernel), bias.numel() > 0 ? bias.data_ptr<float>() : nullptr,
                        floor,          halves(output)};
  for_each_block(product.blocks(), Product::scratch(), product);
}

void multiply_transposed_small_grid(const Patches& patches, const at::Tensor& input,
                                    const at::Tensor& output_gradient, const at::Tensor& weight_gradient) {
  const KernelOffsets offsets = kernel_offsets(patches, weight_gradient.strides());
  TransposedProduct product{patches, halves(input), halves(output_gradient),          nullptr,
                            nullptr, offsets,       weight_gradient.data_ptr<float>()};
  const at::Tensor lefts = at::empty({product.left_size()}, at::kBFloat16);
  const at::Tensor rights = at::empty({product.right_size()}, at::kBFloat16);
  product.lefts = halves(lefts);
  product.rights = halves(rights);
  at::parallel_for(0, product.images() / 2, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t pair = begin; pair < end; ++pair) product.lay_out(pair);
  });
  at::parallel_for(0, product.positions(), 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t position = begin; position < end; ++position)
      for (std::int64_t phase = 0; phase < patches.phases * patches.phases; ++phase)
        product.transpose_gradients(position, phase);
  });
  for_each_block(product.blocks(), product.scratch(), product);
}

#else

bool has_small_grid(const Patches&) { return false; }
void multiply_small_grid(const Patches&, const at::Tensor&, const at::Tensor&, const at::Tensor&, float,
                         const at::Tensor&) {
  TORCH_CHECK(false, "bfloat16 products are not in this build");
}
void multiply_transposed_small_grid(const Patches&, const at::Tensor&, const at::Tensor&, const at::Tensor&) {
  TORCH_CHECK(false, "bfloat16 products are not in this build");
}

#endif

}  // namespace whence::nn
