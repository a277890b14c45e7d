#include "whence/models/train/vae_loss.h"

#include <gtest/gtest.h>

#include "whence/core/random.h"

namespace whence::models {
namespace {

TEST(KlDivergence, EqualsTheSumOverLatents) {
  const at::Tensor mean = at::tensor({0.5, -1.0, 2.0, 0.0}, at::kDouble).view({2, 2});
  const at::Tensor log_variance = at::tensor({0.0, -2.0, 1.0, 1e-9}, at::kDouble).view({2, 2});
  double expected = 0;
  for (std::int64_t i = 0; i < 4; ++i) {
    const double m = mean.view(-1)[i].item<double>(), v = log_variance.view(-1)[i].item<double>();
    expected += 0.5 * (m * m + std::exp(v) - 1 - v) / 2;
  }
  EXPECT_NEAR(kl_divergence(mean, log_variance).item<double>(), expected, 1e-14);
  EXPECT_EQ(kl_divergence(at::zeros({3, 4}), at::zeros({3, 4})).item<double>(), 0);
}

TEST(KlDivergence, AgreesWithAMonteCarloEstimate) {
  at::Generator generator = make_generator(3, "test");
  const double mean = 0.7, deviation = 0.4;
  const at::Tensor z = mean + deviation * at::randn({200000}, generator, at::kDouble);
  const at::Tensor ratio = -((z - mean) / deviation).square() / 2 - std::log(deviation) + z.square() / 2;
  const double kl =
      kl_divergence(at::full({1, 1}, mean), at::full({1, 1}, 2 * std::log(deviation))).item<double>();
  EXPECT_NEAR(kl, ratio.mean().item<double>(), 4 * ratio.std().item<double>() / std::sqrt(200000.0));
}

TEST(SquaredError, SumsPixelsAndAveragesImages) {
  const at::Tensor x = at::zeros({4, 3, 2, 2}), y = at::full({4, 3, 2, 2}, 0.5);
  EXPECT_DOUBLE_EQ(squared_error(y, x).item<double>(), 12 * 0.25);
  const at::Tensor half = squared_error(y.to(at::kBFloat16), x);
  EXPECT_EQ(half.scalar_type(), at::kFloat);
  EXPECT_DOUBLE_EQ(half.item<double>(), 12 * 0.25);
}

}  // namespace
}  // namespace whence::models
