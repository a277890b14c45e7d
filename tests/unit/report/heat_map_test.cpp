#include <gtest/gtest.h>

#include "report/figures.h"

namespace whence::report {
namespace {

TEST(HeatMap, IsWhiteAtNothingRedAboveAndBlueBelow) {
  const at::Tensor map = heat_map(at::tensor({0.0F, 2.0F, -2.0F, 1.0F}).view({1, 2, 2}));
  ASSERT_EQ(map.sizes(), at::IntArrayRef({1, 3, 2, 2}));
  const auto at_pixel = [&](std::int64_t y, std::int64_t x, std::int64_t channel) {
    return map[0][channel][y][x].item<double>();
  };
  for (std::int64_t channel = 0; channel < 3; ++channel) EXPECT_EQ(at_pixel(0, 0, channel), 1);
  EXPECT_GT(at_pixel(0, 1, 0), at_pixel(0, 1, 2) + 0.3);
  EXPECT_GT(at_pixel(1, 0, 2), at_pixel(1, 0, 0) + 0.3);
  EXPECT_NEAR(at_pixel(1, 1, 1), 0.5 * (1 + at_pixel(0, 1, 1)), 1e-6)
      << "half as strong is half way from white";
}

TEST(HeatMap, EachMapHasItsOwnScaleAndAFewPixelsDoNotSetIt) {
  at::Tensor values = at::full({2, 20, 20}, 0.5);
  values[1] *= 100;
  values[0][3][3] = 1000;  // one of 400 is beyond
  const at::Tensor map = heat_map(values);
  EXPECT_TRUE(at::allclose(map[0], map[1]));
  EXPECT_TRUE(at::equal(heat_map(at::zeros({4, 4})), at::ones({3, 4, 4})));
  EXPECT_THROW(heat_map(at::zeros({4})), c10::Error);
}

}  // namespace
}  // namespace whence::report
