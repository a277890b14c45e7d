// Penalties, filters and changes against loops in float64 and cases with known answers.
#include "whence/explain/visualization/regularizers.h"

#include <gtest/gtest.h>

#include "unit/visualization/cases.h"
#include "whence/core/filters.h"

namespace whence::visualization {
namespace {

using namespace known;

TEST(Regularizers, TotalVariationIsItsSum) {
  const at::Tensor x = random_images({2, 3, 4, 5}).to(at::kDouble);
  const at::Tensor found = total_variation(x);
  for (std::int64_t n = 0; n < 2; ++n) {
    double sum = 0;
    const auto at = [&](std::int64_t c, std::int64_t i, std::int64_t j) {
      return x[n][c][i][j].item<double>();
    };
    for (std::int64_t c = 0; c < 3; ++c)
      for (std::int64_t i = 0; i < 4; ++i)
        for (std::int64_t j = 0; j < 5; ++j) {
          const double right = j < 4 ? at(c, i, j + 1) - at(c, i, j) : 0;
          const double down = i < 3 ? at(c, i + 1, j) - at(c, i, j) : 0;
          sum += std::sqrt(right * right + down * down + 1e-8);
        }
    EXPECT_NEAR(found[n].item<double>(), sum / 60, 1e-12);
  }
  EXPECT_NEAR(total_variation(at::full({1, 1, 3, 3}, 0.4)).item<double>(), 1e-4, 1e-6);
}

TEST(Regularizers, NormsAreMetBelowTheBrightest) {
  const at::Tensor x = random_images({2, 1, 4, 5});
  const at::Tensor small = with_norm(x, at::tensor({0.5, 1.0}));
  EXPECT_TRUE(at::allclose(small.flatten(1).norm(2, 1), at::tensor({0.5F, 1.0F})));
  EXPECT_TRUE(at::allclose(at::cosine_similarity(small.flatten(1), x.flatten(1)), at::ones({2})));
  EXPECT_EQ(with_norm(x, at::tensor({100.0, 100.0})).max().item<float>(), 1);
  EXPECT_TRUE(with_norm(at::zeros({1, 1, 2, 2}), at::tensor({1.0})).isfinite().all().item<bool>());
}

TEST(Regularizers, BilateralBlurIsItsSum) {
  const at::Tensor x = random_images({1, 2, 5, 4}).to(at::kDouble);
  const double sigma = 0.7, range = 0.3;
  const std::int64_t radius = 2;  // ceil(2 sigma)
  const at::Tensor found = bilateral_blur(x, sigma, range);
  for (std::int64_t i = 0; i < 5; ++i)
    for (std::int64_t j = 0; j < 4; ++j) {
      at::Tensor sum = at::zeros({2}, at::kDouble);
      double weights = 0;
      for (std::int64_t di = -radius; di <= radius; ++di)
        for (std::int64_t dj = -radius; dj <= radius; ++dj) {
          const at::Tensor there = x[0].select(1, std::clamp<std::int64_t>(i + di, 0, 4))
                                       .select(1, std::clamp<std::int64_t>(j + dj, 0, 3));
          const double colour = (there - x[0].select(1, i).select(1, j)).square().sum().item<double>();
          const double weight = std::exp(-static_cast<double>(di * di + dj * dj) / (2 * sigma * sigma) -
                                         colour / (2 * range * range));
          sum += weight * there;
          weights += weight;
        }
      EXPECT_TRUE(at::allclose(found[0].select(1, i).select(1, j), sum / weights));
    }
  // An edge much higher than the range stays, which the Gaussian blur washes out.
  at::Tensor edge = at::zeros({1, 1, 4, 8}, at::kDouble);
  edge.narrow(3, 4, 4).fill_(1);
  EXPECT_TRUE(at::allclose(bilateral_blur(edge, 1, 0.05), edge, 0, 1e-6));
  EXPECT_GT((gaussian_blur(edge, 1) - edge).abs().max().item<double>(), 0.2);
}

/// Slopes of x along columns and rows in its middle, and its value there: (N, 3).
at::Tensor plane_of(const at::Tensor& x) {
  const std::int64_t row = x.size(2) / 2, column = x.size(3) / 2;
  const auto at = [&](std::int64_t i, std::int64_t j) {
    return x.select(3, column + j).select(2, row + i).squeeze(1);
  };
  return at::stack({0.5 * (at(0, 1) - at(0, -1)), 0.5 * (at(1, 0) - at(-1, 0)), at(0, 0)}, 1);
}

/// Bilinear sampling is exact on a plane, so that its slopes tell which change was made; height and width differ.
TEST(Regularizers, ChangesStayInTheirBounds) {
  const at::Tensor x = (0.02 * at::arange(15, at::kFloat).view({1, 1, 1, 15}) +
                        0.03 * at::arange(11, at::kFloat).view({1, 1, 11, 1}))
                           .expand({200, 1, 11, 15});
  const at::Tensor before = plane_of(x);
  const double slope = std::hypot(0.02, 0.03);
  const auto after = [&](const Robustness& robustness) {
    Generator generator = make_generator(7, "changes");
    return plane_of(disturbed(x, robustness, generator));
  };
  EXPECT_TRUE(at::equal(after({0, 0, 0, 0}), before));

  const at::Tensor moved = after({2, 0, 0, 0});
  EXPECT_TRUE(at::allclose(moved.narrow(1, 0, 2), before.narrow(1, 0, 2), 0, 1e-5));
  const at::Tensor by = (moved - before).select(1, 2).abs();
  EXPECT_LE(by.max().item<double>(), 2 * (0.02 + 0.03) + 1e-5);
  EXPECT_GT(by.max().item<double>(), 0.05);

  const at::Tensor turned = after({0, 20, 0, 0});
  EXPECT_TRUE(at::allclose(turned.narrow(1, 0, 2).norm(2, 1), at::full({200}, slope), 0, 1e-5));
  const at::Tensor angle = (at::atan2(turned.select(1, 1), turned.select(1, 0)) - std::atan2(0.03, 0.02)) *
                           (180 / std::numbers::pi);
  EXPECT_LE(angle.abs().max().item<double>(), 20.01);
  EXPECT_GT(angle.max().item<double>(), 15);
  EXPECT_LT(angle.min().item<double>(), -15);

  const at::Tensor zoom = slope / after({0, 0, 0.2, 0}).narrow(1, 0, 2).norm(2, 1);
  EXPECT_LE(zoom.max().item<double>(), 1.201);
  EXPECT_GE(zoom.min().item<double>(), 0.799);
  EXPECT_GT(zoom.max().item<double>(), 1.15);

  const at::Tensor coloured = after({0, 0, 0, 0.1});
  const at::Tensor contrast = coloured.narrow(1, 0, 2).norm(2, 1) / slope;
  EXPECT_LE(contrast.max().item<double>(), 1.101);
  EXPECT_GE(contrast.min().item<double>(), 0.899);
  EXPECT_GT((coloured - before).select(1, 2).abs().max().item<double>(), 0.05);
}

TEST(Regularizers, LikenessIsTheMeanCosineOfChannelProducts) {
  const at::Tensor texture = random_images({1, 3, 2, 5}).to(at::kDouble) - 0.4;
  const auto products = [&](std::int64_t p) {
    const at::Tensor own = texture[0][p];
    return own.matmul(own.t()).flatten();
  };
  const auto cosine = [&](std::int64_t a, std::int64_t b) {
    return (products(a).dot(products(b)) / (products(a).norm() * products(b).norm())).item<double>();
  };
  const at::Tensor found = likeness(texture);
  EXPECT_NEAR(found[0][0].item<double>(), (cosine(0, 1) + cosine(0, 2)) / 2, 1e-12);
  EXPECT_NEAR(found[0][2].item<double>(), (cosine(2, 1) + cosine(0, 2)) / 2, 1e-12);
  EXPECT_TRUE(at::equal(likeness(texture.narrow(1, 0, 1)), at::zeros({1, 1}, at::kDouble)));
}

}  // namespace
}  // namespace whence::visualization
