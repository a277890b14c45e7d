// The Gaussian filter against loops in float64.
#include "whence/core/filters.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "whence/core/random.h"

namespace whence {
namespace {

TEST(Filters, GaussianBlurIsItsSum) {
  const at::Tensor x = at::rand({1, 2, 6, 7}, make_generator(3, "images"), at::TensorOptions(at::kDouble));
  const double sigma = 0.8;
  const std::int64_t radius = 3;  // ceil(3 sigma)
  const at::Tensor found = gaussian_blur(x, sigma);
  for (std::int64_t c = 0; c < 2; ++c)
    for (std::int64_t i = 0; i < 6; ++i)
      for (std::int64_t j = 0; j < 7; ++j) {
        double sum = 0, weights = 0;
        for (std::int64_t di = -radius; di <= radius; ++di)
          for (std::int64_t dj = -radius; dj <= radius; ++dj) {
            const double weight = std::exp(-static_cast<double>(di * di + dj * dj) / (2 * sigma * sigma));
            const std::int64_t row = std::clamp<std::int64_t>(i + di, 0, 5),
                               column = std::clamp<std::int64_t>(j + dj, 0, 6);
            sum += weight * x[0][c][row][column].item<double>();
            weights += weight;
          }
        EXPECT_NEAR(found[0][c][i][j].item<double>(), sum / weights, 1e-12);
      }
}

TEST(Filters, TheWindowIsANormalDensityUpToItsSum) {
  const at::Tensor window = gaussian_window(2, 3, at::TensorOptions(at::kDouble));
  ASSERT_EQ(window.size(0), 7);
  EXPECT_NEAR(window.sum().item<double>(), 1, 1e-12);
  for (std::int64_t i = -3; i <= 3; ++i)
    EXPECT_NEAR((window[i + 3] / window[3]).item<double>(), std::exp(-static_cast<double>(i * i) / 8), 1e-12);
}

}  // namespace
}  // namespace whence
