// How the bfloat16 convolutions walk: over blocks of work, over an image's pixels in the cache, over output pixels.
#pragma once

#include "nn/bf16_block.h"
#include "nn/patches.h"

#ifdef WHENCE_HAS_BF16_CODE

#include <ATen/Parallel.h>
#include <ATen/core/Tensor.h>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <vector>

namespace whence::nn::bf16 {

/// Calls work(i) for i in 0 .. count - 1; a thread takes the next i when it is ready, because another process may
/// hold one of them up. Each thread gets `scratch` bytes of its own, zeroed once.
template <class Work>
void for_each_block(std::int64_t count, std::int64_t scratch, const Work& work) {
  std::atomic<std::int64_t> next{0};
  const auto run = [&](std::int64_t, std::int64_t) {
    if (next >= count) return;
    constexpr std::size_t line = 64;
    std::vector<std::byte> bytes(static_cast<std::size_t>(scratch) + line);
    const auto address = reinterpret_cast<std::uintptr_t>(bytes.data());
    std::byte* aligned = bytes.data() + (line - address % line);
    const Tiles tiles;
    for (std::int64_t i = next++; i < count; i = next++) work(i, aligned);
  };
  at::parallel_for(0, std::min<std::int64_t>(count, at::get_num_threads()), 1, run);
}

inline Half* halves(const at::Tensor& tensor) {
  return reinterpret_cast<Half*>(tensor.data_ptr<at::BFloat16>());
}

/// What multiply_patches is given, as its inner loops read it.
struct PatchProduct {
  PatchProduct(const Patches& patches_, const at::Tensor& input_, const at::Tensor& kernel_,
               const at::Tensor& bias_, float floor_, const at::Tensor& output_)
      : patches(patches_),
        input(halves(input_)),
        kernel(halves(kernel_)),
        bias(bias_.numel() > 0 ? bias_.data_ptr<float>() : nullptr),
        floor(floor_),
        output(halves(output_)) {}

  const Patches& patches;
  const Half *input, *kernel;
  const float* bias;
  float floor;
  Half* output;
};

/// One image with its margins, laid out so that the patches of successive positions are a constant number of pixels
/// apart, also from the end of one row of the grid to the start of the next: no patch needs to be copied. Rows that
/// are the same modulo the step lie together. The few positions between the rows belong to no pixel.
struct Strip {
  const Patches& patches;

  std::int64_t slots() const {  ///< positions from one row of the grid to the next
    return (patches.step * (patches.horizontal.grid - 1) + patches.taps + patches.step - 1) / patches.step;
  }
  std::int64_t positions() const { return (patches.vertical.grid - 1) * slots() + patches.horizontal.grid; }
  std::int64_t stride() const { return patches.step * patches.channels; }  ///< halves
  /// Halves from a pixel to the one below it in the same group of rows.
  std::int64_t line() const { return slots() * stride(); }
  std::int64_t lines() const {  ///< of a group
    return (patches.step * (patches.vertical.grid - 1) + patches.taps + patches.step - 1) / patches.step;
  }
  /// Blocks of positions and steps of the depth are whole; what they read past the end is finite and not used.
  std::int64_t size() const {
    return rounded_up(patches.step * lines() * line() + kBlock * stride() + patches.row_depth(), kDepth);
  }
  const Half* row_of_tap(const Half* strip, std::int64_t tap) const {
    return strip + (tap % patches.step * lines() + tap / patches.step) * line();
  }

  /// The margins of `strip` are zero already.
  WHENCE_BF16 void fill(const Half* input, std::int64_t image, Half* strip) const {
    const PatchSide &vertical = patches.vertical, &horizontal = patches.horizontal;
    const std::int64_t channels = patches.channels, rows = lines() * patches.step;
    const std::int64_t begin = std::max<std::int64_t>(0, horizontal.margin);
    const std::int64_t end = std::min(slots() * patches.step, horizontal.input + horizontal.margin);
    for (std::int64_t row = std::max<std::int64_t>(0, vertical.margin);
         begin < end && row < std::min(rows, vertical.input + vertical.margin); ++row) {
      const std::int64_t y = image * vertical.input + row - vertical.margin;
      const Half* from = input + (y * horizontal.input + begin - horizontal.margin) * channels;
      Half* to = strip + (row % patches.step * lines() + row / patches.step) * line();
      copy(from, to + begin * channels, (end - begin) * channels);
    }
  }
};

/// Where the channels of the output pixel (row, column) of the position (y, x) of `image` begin; -1 outside of it.
WHENCE_BF16 inline std::int64_t pixel_of(const Patches& p, std::int64_t image, std::int64_t grid_y,
                                         std::int64_t grid_x, std::int64_t row, std::int64_t column) {
  const std::int64_t y = p.phases * grid_y - p.vertical.crop + row;
  const std::int64_t x = p.phases * grid_x - p.horizontal.crop + column;
  const bool inside = y >= 0 && y < p.vertical.output && x >= 0 && x < p.horizontal.output;
  return inside ? ((image * p.vertical.output + y) * p.horizontal.output + x) * p.output_channels : -1;
}

}  // namespace whence::nn::bf16
#endif
