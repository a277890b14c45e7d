#include "nn/kernels/bf16_kernel.h"
#include "nn/kernels/bf16_small_grid.h"
#include "nn/kernels/bf16_strip.h"

namespace whence::nn {

#ifdef WHENCE_HAS_BF16_CODE

namespace {

using namespace bf16;

/// What multiply_transposed_small_grid needs, for 32 columns of the kernel, 32 channels and a row of taps at a time. The depth
/// of its products is the images, two side by side, at each position from which a tap meets a pixel.
struct TransposedProduct {
  const Patches& patches;
  const Half *input, *gradient;
  Half* lefts;   ///< gradients: column, position, image; rows are left_stride() apart
  Half* rights;  ///< pixels: 32 channels, pixel, pair of images, channel
  const KernelOffsets& offsets;
  float* weight;
  bool adds;  ///< to what `weight` holds

  std::int64_t images() const { return rounded_up(patches.batch, kDepth); }
  /// Tiles read 16 pairs, also those behind the last image.
  std::int64_t pairs() const { return on_tiles() ? images() / 2 : (patches.batch + 1) / 2; }
  std::int64_t pixels() const { return patches.vertical.input * patches.horizontal.input; }
  std::int64_t positions() const { return patches.vertical.grid * patches.horizontal.grid; }
  /// An odd number of steps: rows are read together, and powers of two would make them compete for lines of the cache.
  std::int64_t left_stride() const { return (positions() * images() / kDepth | 1) * kDepth; }
  std::int64_t left_size() const { return patches.columns() * left_stride(); }
  std::int64_t of_pixel() const { return pairs() * 2 * kBlock; }  ///< halves
  std::int64_t groups() const { return patches.channels / kBlock; }
  std::int64_t right_size() const { return groups() * pixels() * of_pixel(); }

  std::int64_t blocks() const { return patches.columns() / kBlock * groups() * patches.taps; }
  std::int64_t scratch() const { return patches.taps * kBlock * kBlock * std::int64_t{sizeof(float)}; }

  WHENCE_BF16 void operator()(std::int64_t block, std::byte* scratch_bytes) const {
    const std::int64_t tap_y = block % patches.taps, group = block / patches.taps % groups();
    const std::int64_t column = block / patches.taps / groups() * kBlock;
    auto* sums = reinterpret_cast<float*>(scratch_bytes);
    std::fill_n(sums, patches.taps * kBlock * kBlock, 0.0f);
    const Meeting down = positions_of(patches, patches.vertical, tap_y);
    for (std::int64_t y = down.begin; y < down.end; ++y) {
      const std::int64_t row = down.pixel + patches.step * (y - down.begin);
      for (std::int64_t tap_x = 0; tap_x < patches.taps; ++tap_x)
        add_row(column, group, y, row, tap_x, sums + tap_x * kBlock * kBlock);
    }
    for (std::int64_t tap_x = 0; tap_x < patches.taps; ++tap_x) {
      const std::int64_t depth = tap_y * patches.row_depth() + tap_x * patches.channels + group * kBlock;
      put_square(offsets, column, depth, sums + tap_x * kBlock * kBlock, weight, adds);
    }
  }

  /// The positions of a row of the grid, whose tap meets pixels of `row`.
  WHENCE_BF16 void add_row(std::int64_t column, std::int64_t group, std::int64_t y, std::int64_t row,
                           std::int64_t tap_x, float* sums) const {
    const Meeting right = positions_of(patches, patches.horizontal, tap_x);
    std::vector<const Half*> pieces;
    for (std::int64_t x = right.begin; x < right.end; ++x)
      pieces.push_back(lefts + (y * patches.horizontal.grid + x) * images());
    const LeftMatrix left{pieces.data(), std::ssize(pieces), images() / kDepth, left_stride(), patches.batch};
    const Half* first =
        rights + (group * pixels() + row * patches.horizontal.input + right.pixel) * of_pixel();
    multiply_block(left, column * left_stride(),
                   {first, first + kDepth, kRows * 2 * kBlock, patches.step * of_pixel(), 2 * kBlock}, sums,
                   kBlock, true);
  }

  /// Lays out the pixels of two images; behind the last image are zeros.
  WHENCE_BF16 void lay_out(std::int64_t pair) const {
    const auto of_image = [&](std::int64_t image) {
      return image < patches.batch ? input + image * pixels() * patches.channels : nullptr;
    };
    const Half *a = of_image(2 * pair), *b = of_image(2 * pair + 1);
    for (std::int64_t at = 0; at < pixels(); ++at) {
      for (std::int64_t c = 0; c < patches.channels; c += kColumns) {
        Half* to = rights + (c / kBlock * pixels() + at) * of_pixel() + pair * 2 * kBlock + c % kBlock * 2;
        const std::int64_t from = at * patches.channels + c;
        _mm512_storeu_si512(to, side_by_side(a == nullptr ? a : a + from, b == nullptr ? b : b + from));
      }
    }
  }

  /// 16 halves each; null: zeros.
  WHENCE_BF16 static __m512i side_by_side(const Half* a, const Half* b) {
    static constexpr Half zeros[kColumns] = {};
    return interleaved(a == nullptr ? zeros : a, b == nullptr ? zeros : b);
  }

  /// Transposes the gradients of a phase at a position.
  WHENCE_BF16 void transpose_gradients(std::int64_t position, std::int64_t phase) const {
    const std::int64_t y = position / patches.horizontal.grid, x = position % patches.horizontal.grid;
    const auto of_image = [&](std::int64_t image, std::int64_t channel) -> const Half* {
      if (image >= patches.batch) return nullptr;
      const std::int64_t at = pixel_of(patches, image, y, x, phase / patches.phases, phase % patches.phases);
      return at < 0 ? nullptr : gradient + at + channel;
    };
    for (std::int64_t image = 0; image < images(); image += kDepth) {
      for (std::int64_t c = 0; c < patches.output_channels; c += kColumns) {
        __m512i square[16];
        for (std::int64_t i = 0; i < 16; ++i)
          square[i] = side_by_side(of_image(image + 2 * i, c), of_image(image + 2 * i + 1, c));
        transpose(square);
        Half* to =
            lefts + (phase * patches.output_channels + c) * left_stride() + position * images() + image;
        for (int i = 0; i < 16; ++i) _mm512_storeu_si512(to + i * left_stride(), square[i]);
      }
    }
  }

  void lay_out_all() const {
    at::parallel_for(0, pairs(), 1, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t pair = begin; pair < end; ++pair) lay_out(pair);
    });
    at::parallel_for(0, positions(), 1, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t position = begin; position < end; ++position)
        for (std::int64_t phase = 0; phase < patches.phases * patches.phases; ++phase)
          transpose_gradients(position, phase);
    });
  }
};

}  // namespace

void multiply_transposed_small_grid(const Patches& patches, const at::Tensor& input,
                                    const at::Tensor& output_gradient, const at::Tensor& weight_gradient) {
  constexpr std::int64_t most = 256;
  const KernelOffsets offsets = kernel_offsets(patches, weight_gradient.strides());
  const std::int64_t of_input = input.numel() / patches.batch,
                     of_output = output_gradient.numel() / patches.batch;
  at::Tensor lefts, rights;
  for (std::int64_t first = 0; first < patches.batch; first += most) {
    Patches some = patches;
    some.batch = std::min(most, patches.batch - first);
    TransposedProduct product{some,
                              halves(input) + first * of_input,
                              halves(output_gradient) + first * of_output,
                              nullptr,
                              nullptr,
                              offsets,
                              weight_gradient.data_ptr<float>(),
                              first > 0};
    if (first == 0) {
      lefts = at::empty({product.left_size()}, at::kBFloat16);
      rights = at::empty({product.right_size()}, at::kBFloat16);
    }
    product.lefts = halves(lefts);
    product.rights = halves(rights);
    product.lay_out_all();
    for_each_block(product.blocks(), product.scratch(), product);
  }
}

#else

void multiply_transposed_small_grid(const Patches&, const at::Tensor&, const at::Tensor&, const at::Tensor&) {
  TORCH_CHECK(false, "bfloat16 products are not in this build");
}

#endif

}  // namespace whence::nn
