// Images whose rows of a product are taken together, so that a kernel of megabytes is not read again for every few rows.
#pragma once

#include <algorithm>
#include <cstring>

#include "nn/kernels/f32_block.h"
#include "nn/kernels/strip.h"

namespace whence::nn::f32 {

/// The strips of some images, one behind the other.
struct Group {
  const Patches& patches;
  std::int64_t images;

  Strip strip() const { return {patches}; }
  /// add_outer_products reads whole vectors, past the end too.
  std::int64_t strip_size() const { return rounded_up(strip().pixels() + kMostColumns, kMostColumns); }
  std::int64_t size() const { return images * strip_size(); }
  std::int64_t count() const { return (patches.batch + images - 1) / images; }
  std::int64_t first(std::int64_t group) const { return group * images; }
  std::int64_t images_of(std::int64_t group) const { return std::min(images, patches.batch - first(group)); }
  /// Where the patch of a position of one of the images begins.
  std::int64_t place(std::int64_t image, std::int64_t y, std::int64_t x) const {
    return image * strip_size() + y * strip().line() + x * strip().stride();
  }

  /// The margins of `strips` are zero already.
  void fill(const float* input, std::int64_t image, std::int64_t count, float* strips) const {
    const auto copy = [](const float* from, float* to, std::int64_t floats) {
      std::memcpy(to, from, static_cast<std::size_t>(floats) * sizeof *to);
    };
    for (std::int64_t i = 0; i < count; ++i) strip().fill(input, image + i, strips + i * strip_size(), copy);
  }
};

/// So many images as have `rows` positions, as long as their strips take at most so many floats; at least one.
inline std::int64_t images_for(const Patches& patches, std::int64_t rows, std::int64_t floats) {
  const std::int64_t grid = patches.vertical.grid * patches.horizontal.grid;
  const std::int64_t fitting = floats / Group{patches, 1}.strip_size();
  return std::clamp<std::int64_t>(std::min((rows + grid - 1) / grid, fitting), 1, patches.batch);
}

}  // namespace whence::nn::f32
