#include "whence/models/train/augmentation.h"

#include <gtest/gtest.h>

#include <set>

#include "whence/core/random.h"

namespace whence::models {
namespace {

/// Image `x` (C, H, W) shifted and perhaps mirrored, pixel by pixel.
at::Tensor moved(const at::Tensor& x, std::int64_t down, std::int64_t right, bool mirrored) {
  at::Tensor y = at::zeros_like(x);
  const std::int64_t height = x.size(1), width = x.size(2);
  for (std::int64_t i = 0; i < height; ++i) {
    for (std::int64_t j = 0; j < width; ++j) {
      const std::int64_t from_i = i - down, from_j = (mirrored ? width - 1 - j : j) - right;
      if (from_i < 0 || from_i >= height || from_j < 0 || from_j >= width) continue;
      y.select(1, i).select(1, j).copy_(x.select(1, from_i).select(1, from_j));
    }
  }
  return y;
}

TEST(Augmentation, EveryImageIsShiftedAndMirroredAndAllWaysOccur) {
  Generator generator = make_generator(0, "test/augmentation");
  const at::Tensor images = at::rand({150, 2, 4, 5}, generator) + 0.1;
  const at::Tensor changed = augment(images, {.flip = true, .crop = 1}, generator);
  ASSERT_EQ(changed.sizes(), images.sizes());
  EXPECT_TRUE(changed.is_contiguous(at::MemoryFormat::ChannelsLast));
  std::set<std::tuple<int, int, bool>> seen;
  for (std::int64_t n = 0; n < images.size(0); ++n) {
    int matches = 0;
    for (const int down : {-1, 0, 1}) {
      for (const int right : {-1, 0, 1}) {
        for (const bool mirrored : {false, true}) {
          if (!at::equal(moved(images[n], down, right, mirrored), changed[n])) continue;
          ++matches;
          seen.insert({down, right, mirrored});
        }
      }
    }
    EXPECT_EQ(matches, 1) << "image " << n;
  }
  EXPECT_EQ(seen.size(), 18U);
}

TEST(Augmentation, CutoutBlacksOutOneSquareAnywhere) {
  constexpr std::int64_t count = 400, high = 6, wide = 7, side = 3;
  Generator generator = make_generator(0, "test/cutout");
  const at::Tensor images = at::rand({count, 2, high, wide}, generator) + 0.1;
  const at::Tensor black = augment(images, {.cutout = side}, generator) == 0;
  EXPECT_TRUE(at::equal(black.select(1, 0), black.select(1, 1)));
  std::set<std::pair<std::int64_t, std::int64_t>> middles;
  for (std::int64_t n = 0; n < count; ++n) {
    int matches = 0;
    for (std::int64_t i = 0; i < high; ++i) {
      for (std::int64_t j = 0; j < wide; ++j) {
        const at::Tensor rows = (at::arange(high) - i).abs() <= 1,
                         columns = (at::arange(wide) - j).abs() <= 1;
        if (!at::equal(black[n][0], rows.unsqueeze(1).logical_and(columns))) continue;
        ++matches;
        middles.insert({i, j});
      }
    }
    EXPECT_EQ(matches, 1) << "image " << n;
  }
  EXPECT_EQ(middles.size(), static_cast<std::size_t>(high * wide));
  EXPECT_TRUE(at::equal(augment(images, {}, generator), images));
}

TEST(Augmentation, DependsOnItsStreamOnlyAndCanBeNothing) {
  const at::Tensor images = at::rand({8, 1, 6, 6}, make_generator(0, "test/images"));
  const auto with = [&](std::uint64_t seed, const Augmentation& options) {
    Generator generator = make_generator(seed, "test/stream");
    return augment(images, options, generator);
  };
  EXPECT_TRUE(at::equal(with(1, {.flip = true, .crop = 2}), with(1, {.flip = true, .crop = 2})));
  EXPECT_FALSE(at::equal(with(1, {.flip = true, .crop = 2}), with(2, {.flip = true, .crop = 2})));
  EXPECT_TRUE(at::equal(with(1, {}), images));
}

}  // namespace
}  // namespace whence::models
