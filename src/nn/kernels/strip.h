// How convolutions that are products walk: over blocks of work, over an image's pixels in the cache.
#pragma once

#include <ATen/Parallel.h>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <vector>

#include "nn/kernels/patches.h"

namespace whence::nn {

/// Calls work(i, scratch) for i in 0 .. count - 1; a thread takes the next i when it is ready, because another process may
/// hold one of them up. Each thread gets `scratch` bytes of its own, zeroed once, and holds a Guard meanwhile.
template <class Guard, class Work>
void for_each_block(std::int64_t count, std::int64_t scratch, const Work& work) {
  std::atomic<std::int64_t> next{0};
  const auto run = [&](std::int64_t, std::int64_t) {
    if (next >= count) return;
    constexpr std::size_t line = 64;
    std::vector<std::byte> bytes(static_cast<std::size_t>(scratch) + line);
    const auto address = reinterpret_cast<std::uintptr_t>(bytes.data());
    std::byte* aligned = bytes.data() + (line - address % line);
    [[maybe_unused]] const Guard guard;
    for (std::int64_t i = next++; i < count; i = next++) work(i, aligned);
  };
  at::parallel_for(0, std::min<std::int64_t>(count, at::get_num_threads()), 1, run);
}

/// One image with its margins, laid out so that the patches of successive positions are a constant number of pixels
/// apart, also from the end of one row of the grid to the start of the next: no patch needs to be copied. Rows that
/// are the same modulo the step lie together. The few positions between the rows belong to no pixel. Distances and sizes
/// are elements.
struct Strip {
  const Patches& patches;

  std::int64_t slots() const {  ///< positions from one row of the grid to the next
    return (patches.step * (patches.horizontal.grid - 1) + patches.taps + patches.step - 1) / patches.step;
  }
  std::int64_t positions() const { return (patches.vertical.grid - 1) * slots() + patches.horizontal.grid; }
  std::int64_t stride() const { return patches.step * patches.channels; }  ///< from a position to the next
  /// From a pixel to the one below it in the same group of rows.
  std::int64_t line() const { return slots() * stride(); }
  std::int64_t lines() const {  ///< of a group
    return (patches.step * (patches.vertical.grid - 1) + patches.taps + patches.step - 1) / patches.step;
  }
  std::int64_t pixels() const { return patches.step * lines() * line(); }
  /// Where the patch of position 0 has its row `tap`.
  std::int64_t tap_row(std::int64_t tap) const {
    return (tap % patches.step * lines() + tap / patches.step) * line();
  }

  /// Copies an image of `input` to where it lies in `strip`, whose margins are zero already.
  template <class Element, class Copy>
  void fill(const Element* input, std::int64_t image, Element* strip, const Copy& copy) const {
    const PatchSide &vertical = patches.vertical, &horizontal = patches.horizontal;
    const std::int64_t channels = patches.channels, rows = lines() * patches.step;
    const std::int64_t begin = std::max<std::int64_t>(0, horizontal.margin);
    const std::int64_t end = std::min(slots() * patches.step, horizontal.input + horizontal.margin);
    for (std::int64_t row = std::max<std::int64_t>(0, vertical.margin);
         begin < end && row < std::min(rows, vertical.input + vertical.margin); ++row) {
      const std::int64_t y = image * vertical.input + row - vertical.margin;
      const Element* from = input + (y * horizontal.input + begin - horizontal.margin) * channels;
      copy(from, strip + tap_row(row) + begin * channels, (end - begin) * channels);
    }
  }
};

}  // namespace whence::nn
