#include "whence/explain/flow/linear_reference.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <numbers>

#include "support/errors.h"
#include "whence/core/random.h"

namespace whence::flow {
namespace {

constexpr std::int64_t kSide = 12, kPixels = kSide * kSide;

/// Images that vary along four directions with variances above 1/2, along a fifth with 0.3, else by next to nothing.
data::Dataset images(std::int64_t count, std::string_view name) {
  Generator shape = make_generator(1, "linear-reference/shape"), draws = make_generator(1, name);
  const at::Tensor directions = std::get<0>(at::linalg_qr(at::randn({kPixels, 5}, shape, at::kDouble)));
  const at::Tensor variances = at::tensor({6.0, 2.5, 1.5, 0.8, 0.3}, at::kDouble);
  const at::Tensor codes = at::randn({count, 5}, draws, at::kDouble) * variances.sqrt();
  const at::Tensor noise = 0.02 * at::randn({count, kPixels}, draws, at::kDouble);
  const at::Tensor pixels = (0.5 + codes.mm(directions.t()) + noise).clamp(0, 1);
  return {(pixels * 255).round().to(at::kByte).view({count, 1, kSide, kSide}),
          at::zeros({count}, at::kLong),
          {"any"}};
}

at::Tensor rows_of(const data::Dataset& dataset) { return dataset.images.to(at::kDouble).flatten(1) / 255; }

/// -log N(x; mean, W W' + I / 2) without the constant that SSE leaves out: what SSE + KL is for the exact posterior.
double bound_of(const at::Tensor& rows, const at::Tensor& mean, const at::Tensor& weights) {
  const at::Tensor covariance = weights.mm(weights.t()) + 0.5 * at::eye(kPixels, at::kDouble);
  const at::Tensor centred = rows - mean;
  const double distance =
      (centred * at::linalg_solve(covariance, centred.t()).t()).sum(1).mean().item<double>();
  const double log_volume = std::get<1>(at::linalg_slogdet(covariance)).item<double>();
  const double constant = 0.5 * kPixels * std::log(2 * std::numbers::pi),
               left_out = 0.5 * kPixels * std::log(std::numbers::pi);
  return 0.5 * distance + 0.5 * log_volume + constant - left_out;
}

struct Dense {
  at::Tensor mean, weights, variances;
};

/// The same by the whole covariance, in float64.
Dense dense_model(const data::Dataset& train, std::int64_t used) {
  const at::Tensor rows = rows_of(train), mean = rows.mean(0), centred = rows - mean;
  const auto [values, vectors] = at::linalg_eigh(centred.t().mm(centred) / static_cast<double>(train.size()));
  const at::Tensor kept = values.flip(0).narrow(0, 0, used);
  return {mean, vectors.flip(1).narrow(1, 0, used) * (kept - 0.5).sqrt(), kept};
}

LinearReference fit(const data::Dataset& train, std::int64_t latents) {
  Generator generator = make_generator(3, "linear-reference/fit");
  return fit_linear(train, latents, generator);
}

TEST(LinearReference, IsTheProbabilisticPrincipalComponents) {
  const data::Dataset train = images(1200, "train"), test = images(700, "test");
  for (const std::int64_t latents : {2, 4, 9}) {
    const LinearReference model = fit(train, latents);
    const std::int64_t used =
        std::min<std::int64_t>(latents, 4);  // the fifth direction is not worth its code
    ASSERT_EQ(model.variances.size(0), used) << latents;
    const Dense dense = dense_model(train, used);
    EXPECT_LT((model.variances / dense.variances - 1).abs().max().item<double>(), 1e-3) << latents;
    for (const data::Dataset& dataset : {train, test}) {
      const LinearFidelity found = fidelity(model, dataset);
      EXPECT_NEAR(found.sse + found.kl, bound_of(rows_of(dataset), dense.mean, dense.weights), 2e-3)
          << latents;
      EXPECT_EQ(found.used, used);
    }
  }
}

TEST(LinearReference, NoOtherLinearModelIsBetterOnItsImages) {
  const data::Dataset train = images(1200, "train");
  const LinearFidelity best = fidelity(fit(train, 3), train);
  const Dense dense = dense_model(train, 3);
  Generator draws = make_generator(4, "linear-reference/others");
  const at::Tensor rows = rows_of(train);
  for (int trial = 0; trial < 20; ++trial) {
    const double size = trial % 2 == 0 ? 0.01 : 0.1;
    const at::Tensor weights = dense.weights + size * at::randn(dense.weights.sizes(), draws, at::kDouble);
    const at::Tensor mean = dense.mean + size * at::randn({kPixels}, draws, at::kDouble);
    EXPECT_GT(bound_of(rows, mean, dense.weights), best.sse + best.kl);
    EXPECT_GT(bound_of(rows, dense.mean, weights), best.sse + best.kl);
  }
}

/// SSE and KL one by one, from codes that are drawn.
TEST(LinearReference, ItsPartsAreThoseOfDrawnCodes) {
  const data::Dataset train = images(1200, "train");
  const LinearReference model = fit(train, 4);
  const at::Tensor directions = model.directions.to(at::kDouble);
  const at::Tensor weights = directions * (model.variances - 0.5).sqrt();
  const at::Tensor precision = at::eye(4, at::kDouble) + 2 * weights.t().mm(weights);
  const at::Tensor covariance = at::linalg_inv(precision);
  const at::Tensor centred = rows_of(train) - model.mean.to(at::kDouble);
  const at::Tensor means = 2 * centred.mm(weights).mm(covariance);
  Generator draws = make_generator(5, "linear-reference/codes");
  double sse = 0;
  constexpr int kRounds = 40;
  for (int round = 0; round < kRounds; ++round) {
    const at::Tensor noise = at::randn(means.sizes(), draws, at::kDouble);
    const at::Tensor codes = means + noise.mm(at::linalg_cholesky(covariance).t());
    sse += (centred - codes.mm(weights.t())).square().sum(1).mean().item<double>() / kRounds;
  }
  const double kl =
      0.5 * (means.square().sum(1).mean() + covariance.trace() - 4 - at::logdet(covariance)).item<double>();
  const LinearFidelity found = fidelity(model, train);
  EXPECT_NEAR(found.sse, sse, 0.02);
  EXPECT_NEAR(found.kl, kl, 1e-3);
}

TEST(LinearReference, RefusesWhatHasNoAnswer) {
  Generator generator = make_generator(0, "test");
  test::expect_error([&] { fit_linear(images(10, "train"), 0, generator); }, {"at least 1 latent, not 0"},
                     ExitCode::usage);
  data::Dataset none = images(10, "train");
  none = data::slice(none, 0, 0);
  test::expect_error([&] { fit_linear(none, 2, generator); }, {"there are no images"});
}

}  // namespace
}  // namespace whence::flow
