#include "whence/explain/flow/estimators.h"

#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include "unit/gce/slow_twin.h"
#include "whence/core/random.h"

namespace whence::flow {
namespace {

constexpr Sampling kSamplings[] = {Sampling::nested, Sampling::crossed};
constexpr Correction kCorrections[] = {Correction::none, Correction::delta, Correction::jackknife};

/// Random probabilities (outer, inner, classes); `sharpness` scales the logits.
at::Tensor random_probabilities(std::int64_t outer, std::int64_t inner, std::int64_t classes,
                                double sharpness, std::uint64_t seed) {
  at::Generator generator = make_generator(seed, "test");
  const at::Tensor of_outer = at::randn({outer, 1, classes}, generator, at::kDouble);
  const at::Tensor of_both = at::randn({outer, inner, classes}, generator, at::kDouble);
  return at::softmax(sharpness * (of_outer + 0.5 * of_both), 2);
}

double twin_of(const at::Tensor& p, const Estimator& e) {
  const twin::Draws draws = twin::draws_of(p);
  const bool crossed = e.sampling == Sampling::crossed;
  if (e.correction == Correction::delta)
    return twin::delta(draws, crossed, [&](const twin::Row& values) {
      if (e.outer_draws == Placement::stratified) return twin::stratified_variance_of_mean(values);
      const std::int64_t size = group_size(e.outer_draws, static_cast<std::int64_t>(values.size()));
      return twin::grouped_variance_of_mean(values, static_cast<std::size_t>(size));
    });
  if (e.correction == Correction::jackknife) return twin::jackknifed(draws, crossed);
  return twin::plug_in(draws);
}

std::vector<Estimator> estimators_with(Placement outer_draws) {
  std::vector<Estimator> all;
  for (const Sampling sampling : kSamplings)
    for (const Correction correction : kCorrections)
      if (correction != Correction::jackknife || outer_draws == Placement::independent)
        all.push_back({sampling, outer_draws, correction});
  return all;
}

std::string label(const Estimator& e) {
  return fmt::format("{}_{}_{}", name_of(e.sampling), name_of(e.outer_draws), name_of(e.correction));
}

/// The twin is the formula, differentiated by LibTorch, in float64.
TEST(VariationalInformation, HasTheGradientsOfItsFormula) {
  for (const double sharpness : {0.3, 2.0, 30.0}) {
    const at::Tensor p = random_probabilities(16, 3, 4, sharpness, 5).requires_grad_();
    const at::Tensor log_q = random_probabilities(16, 1, 4, 1, 6).squeeze(1).log().requires_grad_();
    const at::Tensor marginal = p.mean(at::IntArrayRef{0, 1});
    const at::Tensor formula = (p.mean(1) * log_q).sum(1).mean() - (marginal * marginal.log()).sum();
    const Estimator plain = {Sampling::nested, Placement::stratified, Correction::none};
    const at::Tensor bound = variational_information(p, log_q, plain);
    EXPECT_NEAR(bound.item<double>(), formula.item<double>(), 1e-12);
    const auto own = torch::autograd::grad({2.5 * bound}, {p, log_q});
    const auto twin = torch::autograd::grad({2.5 * formula}, {p, log_q});
    EXPECT_TRUE(at::allclose(own[0], twin[0], 0, 1e-12)) << sharpness;
    EXPECT_TRUE(at::allclose(own[1], twin[1], 0, 1e-12)) << sharpness;
  }
}

class MutualInformation : public testing::TestWithParam<Estimator> {
 protected:
  static double value(const at::Tensor& p) { return mutual_information(p, GetParam()).item<double>(); }
};

TEST_P(MutualInformation, EqualsItsSlowTwin) {
  for (const double sharpness : {0.3, 2.0, 30.0}) {
    const at::Tensor p = random_probabilities(16, 5, 3, sharpness, 1);
    const double twin = twin_of(p, GetParam());
    EXPECT_NEAR(value(p), twin, 1e-12) << sharpness;
    EXPECT_NEAR(value(p.to(at::kFloat)), twin, 2e-6) << sharpness;
    EXPECT_NEAR(estimate_flow(p, GetParam()).nats, twin, 1e-12) << sharpness;
  }
}

TEST_P(MutualInformation, EqualsItsSlowTwinWithCertainAnswers) {
  at::Tensor p = random_probabilities(6, 4, 3, 1, 2);
  p[0].zero_().select(1, 2).fill_(1);       // an outer draw that always gives class 2
  p[1][0].copy_(at::tensor({1., 0., 0.}));  // single certain draws
  p[2][3].copy_(at::tensor({0., 1., 0.}));
  EXPECT_NEAR(value(p), twin_of(p, GetParam()), 1e-12);
}

TEST_P(MutualInformation, IsZeroWhenNothingMovesTheClassifier) {
  const at::Tensor p = at::tensor({0.7, 0.3, 0.0}, at::kDouble).expand({6, 5, 3});
  EXPECT_NEAR(value(p), 0, 1e-13);
  const FlowValue flow = estimate_flow(p, GetParam());
  EXPECT_NEAR(flow.se, 0, 1e-13);
}

TEST_P(MutualInformation, OfADeterministicBalancedAnswerIsLogM) {
  const at::Tensor p = at::eye(4, at::kDouble).repeat_interleave(250, 0).unsqueeze(1).expand({1000, 5, 4});
  // The marginal's correction is of the order (M - 1) / (2 groups of draws).
  const bool grouped = GetParam().outer_draws != Placement::stratified;
  const double groups =
      grouped ? 1000.0 / static_cast<double>(group_size(GetParam().outer_draws, 1000)) : 1000.0;
  EXPECT_NEAR(value(p), std::log(4),
              GetParam().correction == Correction::none ? 1e-13 : 3.0 / (2 * groups) * 1.03);
  EXPECT_NEAR(estimate_flow(p, GetParam()).se, 0, 1e-13);
}

TEST_P(MutualInformation, TakesASingleInnerDrawAsExact) {
  const at::Tensor p = random_probabilities(50, 1, 3, 1, 4);
  const double expected = GetParam().correction == Correction::none
                              ? twin::plug_in(twin::draws_of(p))
                              : value(p.expand({50, 2, 3}));  // two equal inner draws: no inner noise
  EXPECT_NEAR(value(p), expected, 1e-12);
}

TEST_P(MutualInformation, HasTheGradientOfFiniteDifferences) {
  at::Tensor p = random_probabilities(4, 5, 3, 1, 3);
  p[0][0].copy_(at::tensor({1., 0., 0.}));
  p[2][3].copy_(at::tensor({0., 0., 1.}));
  p.requires_grad_(true);
  mutual_information(p, GetParam()).backward();
  const at::Tensor gradient = p.grad().flatten().contiguous();
  const at::NoGradGuard no_grad;
  const double h = 1e-6;
  for (std::int64_t i = 0; i < p.numel(); ++i) {
    at::Tensor up = p.detach().clone(), down = p.detach().clone();
    up.view(-1)[i] += h;
    down.view(-1)[i] -= h;
    EXPECT_NEAR(gradient[i].item<double>(), (value(up) - value(down)) / (2 * h), 2e-7) << i;
  }
}

TEST_P(MutualInformation, HasAFiniteGradientForCertainAnswers) {
  for (const auto type : {at::kFloat, at::kDouble}) {
    at::Tensor logits =
        (1e4 * at::eye(3)).repeat({2, 1}).unsqueeze(1).repeat({1, 4, 1}).to(type).requires_grad_(true);
    const at::Tensor p = at::softmax(logits, 2);
    ASSERT_EQ(p.min().item<double>(), 0);
    const at::Tensor information = mutual_information(p, GetParam());
    EXPECT_EQ(information.scalar_type(), type);
    information.backward();
    EXPECT_TRUE(logits.grad().isfinite().all().item<bool>());
  }
}

INSTANTIATE_TEST_SUITE_P(Independent, MutualInformation,
                         testing::ValuesIn(estimators_with(Placement::independent)),
                         [](const auto& test) { return label(test.param); });
INSTANTIATE_TEST_SUITE_P(Antithetic, MutualInformation,
                         testing::ValuesIn(estimators_with(Placement::antithetic)),
                         [](const auto& test) { return label(test.param); });
INSTANTIATE_TEST_SUITE_P(Sobol, MutualInformation, testing::ValuesIn(estimators_with(Placement::sobol)),
                         [](const auto& test) { return label(test.param); });
INSTANTIATE_TEST_SUITE_P(Stratified, MutualInformation,
                         testing::ValuesIn(estimators_with(Placement::stratified)),
                         [](const auto& test) { return label(test.param); });

TEST(MutualInformation, ComputesInFloat32ForHalfPrecision) {
  const at::Tensor p = random_probabilities(5, 4, 3, 1, 8).to(at::kBFloat16);
  const at::Tensor information =
      mutual_information(p, {Sampling::nested, Placement::independent, Correction::none});
  EXPECT_EQ(information.scalar_type(), at::kFloat);
  EXPECT_NEAR(information.item<double>(), twin::plug_in(twin::draws_of(p)), 1e-6);
}

class ConditionalInformation : public testing::TestWithParam<Correction> {
 protected:
  static Estimator independent(Correction correction) {
    return {Sampling::crossed, Placement::independent, correction};
  }
};

/// One draw from each of 16 cells of a sharp classifier: the mean over them hardly varies, and next to nothing is to be taken off.
TEST(StratifiedConditionalInformation, IsCorrectedByTheVarianceOfStratifiedMeans) {
  at::Tensor p = at::zeros({16, 4, 2}, at::kDouble);
  p.narrow(0, 0, 8).select(2, 0) = 1;
  p.narrow(0, 8, 8).select(2, 1) = 1;
  const auto with = [&](Placement placement) {
    return conditional_information(p, {Sampling::crossed, placement, Correction::delta}).item<double>();
  };
  EXPECT_NEAR(with(Placement::stratified), std::log(2), 0.005);
  EXPECT_GT(with(Placement::independent), std::log(2) + 0.03);
}

TEST_P(ConditionalInformation, EqualsItsSlowTwin) {
  const at::Tensor p = random_probabilities(7, 5, 3, 2, 5);
  const double twin = twin::conditional(twin::draws_of(p), std::string(name_of(GetParam())));
  EXPECT_NEAR(conditional_information(p, independent(GetParam())).item<double>(), twin, 1e-12);
}

TEST_P(ConditionalInformation, SeesWhatTheMarginalInformationMisses) {
  // y = F xor R: F tells nothing about y until R is known.
  at::Tensor p = at::zeros({200, 4, 2}, at::kDouble);
  for (std::int64_t a = 0; a < 200; ++a)
    for (std::int64_t b = 0; b < 4; ++b) p[a][b][(a + b) % 2] = 1;
  EXPECT_NEAR(conditional_information(p, independent(GetParam())).item<double>(), std::log(2), 0.003);
  EXPECT_NEAR(
      mutual_information(p, {Sampling::crossed, Placement::independent, Correction::none}).item<double>(), 0,
      1e-12);
}

INSTANTIATE_TEST_SUITE_P(Corrections, ConditionalInformation, testing::ValuesIn(kCorrections),
                         [](const auto& test) { return std::string(name_of(test.param)); });

/// Tukey's jackknife variance over dimension `dim`, by computing the estimate without each draw.
double jackknife_variance(const at::Tensor& p, std::int64_t dim, Estimator e) {
  std::vector<double> left_out;
  for (std::int64_t i = 0; i < p.size(dim); ++i) {
    const at::Tensor rest = at::cat({p.narrow(dim, 0, i), p.narrow(dim, i + 1, p.size(dim) - i - 1)}, dim);
    left_out.push_back(mutual_information(rest, e).item<double>());
  }
  const auto n = static_cast<double>(left_out.size());
  return twin::variance(left_out) * (n - 1) * (n - 1) / n;
}

class StandardError : public testing::TestWithParam<Estimator> {};

TEST_P(StandardError, AgreesWithTheJackknife) {
  at::Generator generator = make_generator(6, "test");
  const at::Tensor z = draw_latents(2, {0}, 120, 60, GetParam().sampling, Placement::independent, generator);
  const at::Tensor yes = at::sigmoid(2 * z.select(1, 0) + z.select(1, 1) + 0.5);
  const at::Tensor p = at::stack({yes, 1 - yes}, 1).view({120, 60, 2}).to(at::kDouble);
  double expected = jackknife_variance(p, 0, GetParam());
  if (GetParam().sampling == Sampling::crossed) expected += jackknife_variance(p, 1, GetParam());
  const double se = estimate_flow(p, GetParam()).se;
  EXPECT_NEAR(se / std::sqrt(expected), 1, 0.05);
}

INSTANTIATE_TEST_SUITE_P(Estimators, StandardError,
                         testing::ValuesIn(estimators_with(Placement::independent)),
                         [](const auto& test) { return label(test.param); });

TEST(MutualInformation, RefusesToJackknifeStratifiedDraws) {
  const at::Tensor p = random_probabilities(4, 3, 2, 1, 1);
  EXPECT_THROW(mutual_information(p, {Sampling::nested, Placement::stratified, Correction::jackknife}),
               c10::Error);
}

}  // namespace
}  // namespace whence::flow
