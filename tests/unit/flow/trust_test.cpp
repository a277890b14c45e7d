// Checks of trust on models whose faults are known.
#include "whence/explain/flow/trust.h"

#include <gtest/gtest.h>

#include "explain/flow/assignment.h"
#include "unit/gce/toy_models.h"
#include "whence/core/error.h"
#include "whence/core/random.h"

namespace whence::flow {
namespace {

using at::Tensor;

Tensor normal_rows(std::int64_t count, std::int64_t columns, std::string_view stream) {
  Generator generator = make_generator(5, stream);
  return at::randn({count, columns}, generator, at::kDouble);
}

/// The best sum over all ways to give rows different columns.
double best_by_trial(const Tensor& gains) {
  const bool wide = gains.size(0) <= gains.size(1);
  const Tensor g = wide ? gains : gains.t();
  std::vector<std::int64_t> columns(static_cast<std::size_t>(g.size(1)));
  for (std::size_t i = 0; i < columns.size(); ++i) columns[i] = static_cast<std::int64_t>(i);
  double best = -1e300;
  do {
    double sum = 0;
    for (std::int64_t row = 0; row < g.size(0); ++row)
      sum += g[row][columns[static_cast<std::size_t>(row)]].item<double>();
    best = std::max(best, sum);
  } while (std::next_permutation(columns.begin(), columns.end()));
  return best;
}

TEST(Assignment, IsTheBestOfAllPermutations) {
  for (const auto& [rows, columns] :
       std::vector<std::pair<int, int>>{{1, 1}, {2, 2}, {4, 4}, {5, 5}, {3, 5}, {5, 3}, {1, 4}}) {
    const Tensor gains = normal_rows(rows, columns, fmt::format("gains/{}x{}", rows, columns));
    double sum = 0;
    std::vector<std::int64_t> given = best_assignment(gains);
    ASSERT_EQ(given.size(), static_cast<std::size_t>(rows));
    for (std::int64_t row = 0; row < rows; ++row) {
      const std::int64_t column = given[static_cast<std::size_t>(row)];
      if (column >= 0) sum += gains[row][column].item<double>();
    }
    EXPECT_NEAR(sum, best_by_trial(gains), 1e-12) << rows << "x" << columns;
    std::erase(given, -1);
    EXPECT_EQ(given.size(), static_cast<std::size_t>(std::min(rows, columns)));
    std::sort(given.begin(), given.end());
    EXPECT_TRUE(std::adjacent_find(given.begin(), given.end()) == given.end());
  }
  EXPECT_EQ(best_assignment(at::zeros({2, 0})), (std::vector<std::int64_t>{-1, -1}));
}

TEST(LeakedShare, HasTheSpreadOfSimulatedRatios) {
  const FlowValue alpha{0.9, 0.03}, beta{0.1, 0.01};
  const Share share = leaked_share(alpha, beta);
  EXPECT_DOUBLE_EQ(share.value, 0.1);
  const Tensor noise = normal_rows(200'000, 2, "ratio");
  const Tensor a = 0.9 + 0.03 * noise.select(1, 0), b = 0.1 + 0.01 * noise.select(1, 1);
  EXPECT_NEAR(share.se, (b / (a + b)).std().item<double>(), 0.01 * share.se);
}

TEST(LeakedShare, NegativeEstimatesLeakNothing) {
  EXPECT_EQ(leaked_share({0.5, 0.01}, {-0.002, 0.01}).value, 0);
  EXPECT_NEAR(leaked_share({0.5, 0.01}, {-0.002, 0.01}).se, 0.02, 1e-12);
  EXPECT_TRUE(std::isnan(leaked_share({0, 0}, {-1e-9, 0}).value));
}

TEST(ReencodingAgreement, CountsImagesThatKeepTheirClass) {
  // The encoder returns latent 0 with the wrong sign where pixel 2 is bright: 3 of 8 images.
  at::Tensor images = at::full({8, 1, 1, 3}, 96, at::kByte);
  images.select(3, 0).narrow(0, 0, 4).fill_(200);
  for (const std::int64_t row : {1, 2, 5}) images[row].select(2, 2).fill_(200);
  const data::Dataset dataset{images, at::zeros({8}, at::kLong), {"dark", "bright"}};
  const Share share =
      reencoding_agreement(toy::Encoder(0, true), toy::Decoder(), toy::first_pixel(), dataset);
  EXPECT_DOUBLE_EQ(share.value, 5.0 / 8);
  EXPECT_DOUBLE_EQ(share.se, std::sqrt(5.0 / 8 * 3 / 8 / 8));
}

TEST(SeedAgreement, FindsFactorsThatCameBackInAnotherOrderAndMirrored) {
  const Tensor a = normal_rows(2000, 5, "factors");
  Tensor b = at::empty_like(a);
  b.select(1, 0).copy_(-3 * a.select(1, 1) + 1);  // alpha_2, mirrored and scaled
  b.select(1, 1).copy_(a.select(1, 0));           // alpha_1
  b.select(1, 2).copy_(a.select(1, 4));           // beta_3
  b.select(1, 3).fill_(0.25);                     // a factor that died
  b.select(1, 4).copy_(0.8 * a.select(1, 2) + 0.6 * normal_rows(2000, 1, "noise").squeeze(1));
  const SeedAgreement agreement = seed_agreement(a, 2, b, 2);
  ASSERT_EQ(agreement.alpha.size(), 2u);
  EXPECT_EQ(agreement.alpha[0].other, 1);
  EXPECT_EQ(agreement.alpha[1].other, 0);
  EXPECT_NEAR(agreement.alpha_mean, 1, 1e-12);
  EXPECT_NEAR(agreement.alpha_subspace, 1, 1e-12);
  ASSERT_EQ(agreement.beta.size(), 3u);
  EXPECT_EQ(agreement.beta[0].other, 2);
  EXPECT_NEAR(agreement.beta[0].correlation, 0.8, 0.02);
  EXPECT_EQ(agreement.beta[1].other, 1);
  EXPECT_EQ(agreement.beta[1].correlation, 0);
  EXPECT_EQ(agreement.beta[2].other, 0);
  const nlohmann::json json = to_json(agreement);
  EXPECT_EQ(json["alpha"][0]["other"], "alpha_2");
  EXPECT_EQ(json["beta"][2]["factor"], "beta_3");
}

TEST(SeedAgreement, ARotationKeepsTheSubspaceOnly) {
  const Tensor a = normal_rows(4000, 3, "rotated");
  const double half = std::sqrt(0.5);
  const Tensor b = at::stack(
      {half * (a.select(1, 0) + a.select(1, 1)), half * (a.select(1, 0) - a.select(1, 1)), a.select(1, 2)},
      1);
  const SeedAgreement agreement = seed_agreement(a, 2, b, 2);
  EXPECT_NEAR(agreement.alpha_mean, half, 0.02);
  EXPECT_NEAR(agreement.alpha_subspace, 1, 1e-9);
  // Nothing in common: the canonical correlation of independent draws is of the order sqrt(K / n).
  EXPECT_LT(seed_agreement(a, 2, normal_rows(4000, 3, "another"), 2).alpha_subspace, 0.06);
  EXPECT_FALSE(to_json(seed_agreement(a, 3, b, 3)).contains("beta_mean"));
}

TEST(SeedAgreement, RefusesWhatCannotBeCompared) {
  EXPECT_THROW(seed_agreement(at::randn({2, 3}), 1, at::randn({2, 3}), 1), Error);
  EXPECT_THROW(seed_agreement(at::randn({9, 3}), 4, at::randn({9, 3}), 1), Error);
  EXPECT_THROW(seed_agreement(at::randn({9, 3}), 1, at::randn({8, 3}), 1), c10::Error);
}

/// 12 pixels; the first shows alpha, the others beta, mixed with alpha by `mixing`.
class Pixels final : public models::Decoder {
 public:
  explicit Pixels(double mixing) : mixing_(mixing) {}
  Tensor decode(const Tensor& z) const override {
    const Tensor beta = (1 - mixing_) * z.narrow(1, 1, 11) + mixing_ * z.narrow(1, 0, 1);
    return at::cat({z.narrow(1, 0, 1), beta}, 1).view({-1, 1, 1, 12});
  }
  std::int64_t latents() const override { return 12; }

 private:
  double mixing_;
};

/// A trained classifier of known layers: it looks at the first pixel.
std::unique_ptr<models::Classifier> first_pixel_network() {
  nn::Network network("linear", {1, 1, 12});
  network.add("flatten", nn::Flatten{});
  network.add("out", nn::Linear{2});
  Tensor weight = at::zeros({2, 12});
  weight[1][0] = 6;
  network.load_state({{"out.weight", weight}, {"out.bias", at::zeros({2})}});
  return models::as_classifier(network);
}

TEST(RandomizationCheck, AnExplanationOfThisClassifierPasses) {
  const RandomizationCheck check = randomization_check(Pixels(0), *first_pixel_network(), 1, {}, 3);
  EXPECT_TRUE(check.passed);
  EXPECT_GT(check.alpha_share.value, 0.98);
  EXPECT_LT(check.randomized_share.value, 0.5);  // one of twelve pixels
  EXPECT_LT(check.correlation, 0.5);
  EXPECT_NEAR(check.explained.correlation, 1, 1e-12);
  ASSERT_EQ(check.randomized.size(), 5u);
  // Their logits were given the explained one's spread: they do answer differently to different images.
  for (const Response& response : check.randomized) EXPECT_GT(response.alpha.nats + response.beta.nats, 0.05);
}

TEST(RandomizationCheck, AFactorThatMovesEveryClassifierFails) {
  const RandomizationCheck check = randomization_check(Pixels(0.97), *first_pixel_network(), 1, {}, 3);
  EXPECT_GT(check.alpha_share.value, 0.98);
  EXPECT_FALSE(check.passed);
  EXPECT_FALSE(to_json(check)["passed"].get<bool>());
}

TEST(RandomizationCheck, TakesClassifiersOfTheCallers) {
  const auto explained = first_pixel_network();
  const RandomizationOptions options{.classifiers = 2};
  const auto itself = [&](std::int64_t) { return first_pixel_network(); };
  const RandomizationCheck check = randomization_check(Pixels(0), *explained, itself, 1, options, 3);
  ASSERT_EQ(check.randomized.size(), 2u);
  // The explained one's logits lose their mean over the draws, as those of every other classifier do.
  EXPECT_NEAR(check.correlation, 1, 0.02);
  EXPECT_NEAR(check.randomized_share.value, check.alpha_share.value, 0.01);
  EXPECT_FALSE(check.passed) << "the same classifier is moved as much";
  EXPECT_EQ(check.alpha_share.value,
            randomization_check(Pixels(0), *explained, 1, options, 3).alpha_share.value);
  EXPECT_THROW(randomization_check(Pixels(0), *explained, itself, 12, options, 3), Error);
}

TEST(RandomizationCheck, NeedsLayersAndOtherFactors) {
  EXPECT_THROW(randomization_check(toy::Decoder(), toy::first_pixel(), 1, {}, 0), Error);
  EXPECT_THROW(randomization_check(Pixels(0), *first_pixel_network(), 12, {}, 0), Error);
  EXPECT_THROW(randomization_check(Pixels(0), *first_pixel_network(), 1, {.classifiers = 0}, 0), Error);
}

}  // namespace
}  // namespace whence::flow
