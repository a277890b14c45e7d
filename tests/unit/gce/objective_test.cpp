#include "whence/explain/gce/objective.h"

#include <gtest/gtest.h>

#include "unit/gce/slow_twin.h"
#include "whence/core/error.h"
#include "whence/core/random.h"

namespace whence::gce {
namespace {

constexpr Objective kObjectives[] = {Objective::joint_unconditional, Objective::joint_conditional,
                                     Objective::independent_unconditional,
                                     Objective::independent_conditional};

CausalOptions options_of(Objective objective, flow::Correction correction = flow::Correction::none) {
  CausalOptions options;
  options.objective = objective;
  options.estimator = {flow::Sampling::crossed, flow::Placement::independent, correction};
  options.alpha_samples = 6;
  options.beta_samples = 4;
  return options;
}

CausalDraws draw(const CausalOptions& options, std::int64_t causal = 2, std::int64_t noncausal = 3) {
  at::Generator generator = make_generator(1, "test");
  return draw_causal(causal, noncausal, options, generator);
}

/// Three classes whose logits depend on every latent, one of them more than linearly.
at::Tensor classify(const at::Tensor& latents) {
  const at::Tensor z = latents.to(at::kDouble);
  const at::Tensor weights =
      at::linspace(-1.5, 1.5, z.size(1) * 3, at::kDouble).view({z.size(1), 3}).cos() * 2;
  return at::softmax(at::matmul(z, weights) + z.select(1, 0).square().unsqueeze(1), 1);
}

/// q is what the network says; the value is the formula's, in float64.
TEST(VariationalEffect, IsTheEntropyPlusTheExplainedPart) {
  CausalOptions options = options_of(Objective::joint_unconditional);
  options.inference = Inference::variational;
  options.estimator.sampling = flow::Sampling::nested;
  options.beta_samples = 1;
  const CausalDraws draws = draw(options);
  const at::Tensor p = classify(draws.latents);
  Generator weights = make_generator(2, "labels");
  const LabelModel labels(2, 3, weights);
  const at::Tensor log_q = labels.log_probabilities(draws.latents.narrow(1, 0, 2)).to(at::kDouble);
  const at::Tensor marginal = p.mean(0);
  const at::Tensor expected = (p * log_q).sum(1).mean() - (marginal * marginal.log()).sum();
  EXPECT_NEAR(variational_effect(draws, p, labels).item<double>(), expected.item<double>(), 1e-12);
}

TEST(VariationalEffect, IsABoundOfTheJointUnconditionalObjectiveOnly) {
  CausalOptions options = options_of(Objective::joint_conditional);
  options.inference = Inference::variational;
  EXPECT_THROW(draw(options), Error);
}

TEST(AnswerDivergence, IsTheMeanOfTheImagesDivergences) {
  const double p[2][3] = {{0.7, 0.2, 0.1}, {0, 1, 0}}, q[2][3] = {{0.5, 0.25, 0.25}, {0.25, 0.5, 0.25}};
  double expected = 0;
  for (int image = 0; image < 2; ++image)
    for (int y = 0; y < 3; ++y)
      if (p[image][y] > 0) expected += p[image][y] * std::log(p[image][y] / q[image][y]) / 2;
  const auto tensor = [](const double(&values)[2][3]) {
    return at::from_blob(const_cast<double*>(&values[0][0]), {2, 3}, at::kDouble).clone();
  };
  EXPECT_NEAR(answer_divergence(tensor(p), tensor(q).log()).item<double>(), expected, 1e-15);
  EXPECT_NEAR(answer_divergence(tensor(q), tensor(q).log()).item<double>(), 0, 1e-15);
  // Its slope in the logits of q is (q - p) / images.
  const at::Tensor logits = tensor(q).log().requires_grad_();
  answer_divergence(tensor(p), logits.log_softmax(1)).backward();
  EXPECT_TRUE(at::allclose(logits.grad(), (tensor(q) - tensor(p)) / 2, 0, 1e-15));
}

TEST(LeakedEffect, NeedsTwoDrawsOfBeta) {
  CausalOptions options = options_of(Objective::joint_unconditional);
  options.beta_samples = 1;
  const CausalDraws draws = draw(options);
  EXPECT_THROW(leaked_effect(draws, classify(draws.latents)), Error);
}

class EveryObjective : public testing::TestWithParam<Objective> {};

TEST_P(EveryObjective, IsTheMeanOverItsGroups) {
  const bool independent =
      GetParam() == Objective::independent_unconditional || GetParam() == Objective::independent_conditional;
  const bool conditional =
      GetParam() == Objective::joint_conditional || GetParam() == Objective::independent_conditional;
  for (const flow::Correction correction :
       {flow::Correction::none, flow::Correction::delta, flow::Correction::jackknife}) {
    const CausalDraws draws = draw(options_of(GetParam(), correction));
    ASSERT_EQ(draws.groups, independent ? 2 : 1);
    ASSERT_EQ(draws.latents.sizes(), at::IntArrayRef({draws.groups * 24, 5}));
    const at::Tensor p = classify(draws.latents);
    double expected = 0;
    for (std::int64_t g = 0; g < draws.groups; ++g) {
      const at::Tensor group = p.narrow(0, 24 * g, 24).view({6, 4, 3});
      expected += (conditional ? flow::conditional_information(group, draws.options.estimator)
                               : flow::mutual_information(group, draws.options.estimator))
                      .item<double>() /
                  static_cast<double>(draws.groups);
    }
    EXPECT_NEAR(causal_effect(draws, p).item<double>(), expected, 1e-14);
  }
}

TEST_P(EveryObjective, HoldsTheFactorsOfEachGroup) {
  const CausalDraws draws = draw(options_of(GetParam()));
  const at::Tensor z = draws.latents.view({draws.groups, 6, 4, 5});
  for (std::int64_t g = 0; g < draws.groups; ++g)
    for (std::int64_t i = 0; i < 5; ++i) {
      const bool is_factor = draws.groups == 1 ? i < 2 : i == g;
      const at::Tensor values = z[g].select(2, i);
      const at::Tensor repeated = values.narrow(is_factor ? 1 : 0, 0, 1).expand_as(values);
      EXPECT_TRUE(values.equal(repeated)) << "group " << g << ", latent " << i;
    }
}

TEST_P(EveryObjective, HasTheGradientOfFiniteDifferences) {
  const CausalDraws draws = draw(options_of(GetParam(), flow::Correction::delta), 2, 2);
  at::Tensor logits = classify(draws.latents).log().requires_grad_(true);
  const auto value = [&](const at::Tensor& l) { return causal_effect(draws, at::softmax(l, 1)); };
  value(logits).backward();
  const at::Tensor gradient = logits.grad().flatten();
  const at::NoGradGuard no_grad;
  const double h = 1e-5;
  for (std::int64_t i = 0; i < logits.numel(); i += 7) {
    at::Tensor up = logits.detach().clone(), down = logits.detach().clone();
    up.view(-1)[i] += h;
    down.view(-1)[i] -= h;
    const double difference = (value(up).item<double>() - value(down).item<double>()) / (2 * h);
    EXPECT_NEAR(gradient[i].item<double>(), difference, 1e-9) << i;
  }
}

TEST_P(EveryObjective, HasAFiniteGradientForCertainAnswers) {
  for (const flow::Correction correction :
       {flow::Correction::none, flow::Correction::delta, flow::Correction::jackknife}) {
    const CausalDraws draws = draw(options_of(GetParam(), correction));
    at::Tensor logits =
        (1e4 * at::eye(3)).repeat({draws.latents.size(0) / 3, 1}).requires_grad_(true);  // p is 0 or 1
    causal_effect(draws, at::softmax(logits, 1)).backward();
    EXPECT_TRUE(logits.grad().isfinite().all().item<bool>());
  }
}

INSTANTIATE_TEST_SUITE_P(Objectives, EveryObjective, testing::ValuesIn(kObjectives),
                         [](const auto& test) { return std::string(name_of(test.param)); });

TEST(CausalEffect, ClimbsWhenFollowed) {
  const CausalDraws draws = draw(options_of(Objective::joint_unconditional));
  at::Tensor logits = (0.1 * classify(draws.latents)).to(at::kFloat);
  const double before = causal_effect(draws, at::softmax(logits, 1)).item<double>();
  for (int step = 0; step < 200; ++step) {
    at::Tensor leaf = logits.detach().requires_grad_(true);
    causal_effect(draws, at::softmax(leaf, 1)).backward();
    logits = leaf.detach() + 50 * leaf.grad();
  }
  const double after = causal_effect(draws, at::softmax(logits, 1)).item<double>();
  EXPECT_LT(before, 0.01);
  EXPECT_GT(after, 0.9);
  EXPECT_LE(after, std::log(3) + 1e-6);
}

TEST(DrawCausal, NestsOnRequest) {
  CausalOptions options = options_of(Objective::joint_unconditional);
  options.estimator.sampling = flow::Sampling::nested;
  const at::Tensor beta = draw(options).latents.select(1, 4);
  EXPECT_EQ(std::get<0>(at::_unique(beta)).numel(), 24);
}

/// One outer draw for each image, with their gradient, in groups as draws of the prior.
TEST(DrawCausal, RecombinesTheLatentsOfImages) {
  const at::Tensor latents = at::randn({7, 5}).requires_grad_();
  for (const Objective objective : kObjectives) {
    CausalOptions options = options_of(objective);
    options.estimator.outer_draws = flow::Placement::stratified;
    const CausalDraws draws = draw_causal(2, 3, options, latents);
    EXPECT_TRUE(draws.latents.requires_grad());
    EXPECT_EQ(draws.options.alpha_samples, 7);
    EXPECT_EQ(draws.options.estimator.outer_draws, flow::Placement::independent);
    EXPECT_EQ(draws.latents.sizes(), at::IntArrayRef({draws.groups * 7 * 4, 5}));
    const at::Tensor rows = draws.latents.view({draws.groups, 7, 4, 5});
    for (std::int64_t group = 0; group < draws.groups; ++group)
      EXPECT_TRUE(
          at::equal(rows[group].select(2, group), latents.select(1, group).unsqueeze(1).expand({7, 4})));
    EXPECT_TRUE(std::isfinite(causal_effect(draws, classify(draws.latents)).item<double>()));
  }
}

TEST(DrawCausal, RefusesWhatCannotBeEstimated) {
  const auto refuses = [](auto change, std::int64_t causal, std::int64_t noncausal) {
    CausalOptions options = options_of(Objective::joint_unconditional);
    change(options);
    try {
      draw(options, causal, noncausal);
    } catch (const Error& error) {
      return error.code() == ExitCode::usage;
    }
    return false;
  };
  EXPECT_TRUE(refuses([](CausalOptions&) {}, 0, 3));
  EXPECT_TRUE(refuses([](CausalOptions&) {}, 1, -1));
  EXPECT_TRUE(refuses([](CausalOptions& o) { o.alpha_samples = 1; }, 1, 1));
  EXPECT_TRUE(refuses([](CausalOptions& o) { o.beta_samples = 0; }, 1, 1));
  for (const Objective objective : {Objective::joint_conditional, Objective::independent_conditional})
    EXPECT_TRUE(refuses(
        [&](CausalOptions& o) {
          o.objective = objective;
          o.estimator.sampling = flow::Sampling::nested;
        },
        1, 1));
}

TEST(LeakedEffect, IsTheInformationWithTheRolesOfAlphaAndBetaExchanged) {
  for (const Objective objective : {Objective::joint_unconditional, Objective::joint_conditional}) {
    for (const flow::Correction correction :
         {flow::Correction::none, flow::Correction::delta, flow::Correction::jackknife}) {
      const CausalDraws draws = draw(options_of(objective, correction));
      const at::Tensor p = classify(draws.latents);
      const twin::Draws exchanged = twin::draws_of(p.view({6, 4, 3}).transpose(0, 1));
      const double expected =
          correction == flow::Correction::none ? twin::plug_in(exchanged)
          : correction == flow::Correction::delta
              ? twin::delta(exchanged, true,
                            [](const twin::Row& values) { return twin::grouped_variance_of_mean(values, 1); })
              : twin::jackknifed(exchanged, true);
      EXPECT_NEAR(leaked_effect(draws, p).item<double>(), expected, 1e-12);
    }
  }
}

TEST(LeakedEffect, IsOnAverageWhatBetaCarries) {
  // Two alphas, three betas; the truth from nested draws of beta, which share nothing with the crossed ones.
  at::Generator generator = make_generator(8, "truth");
  const at::Tensor z = flow::draw_latents(5, {2, 3, 4}, 1500, 200, flow::Sampling::nested,
                                          flow::Placement::independent, generator);
  const flow::FlowValue truth =
      flow::estimate_flow(classify(z).view({1500, 200, 3}),
                          {flow::Sampling::nested, flow::Placement::independent, flow::Correction::delta});
  CausalOptions options;
  options.alpha_samples = 32;
  options.beta_samples = 8;
  std::vector<double> values;
  for (int i = 0; i < 400; ++i) {
    at::Generator own = make_generator(static_cast<std::uint64_t>(i), "crossed");
    const CausalDraws draws = draw_causal(2, 3, options, own);
    values.push_back(leaked_effect(draws, classify(draws.latents)).item<double>());
  }
  const at::Tensor all = at::tensor(values, at::kDouble);
  const double se = std::hypot(all.std().item<double>() / 20, truth.se);
  EXPECT_GT(truth.nats, 0.05);
  EXPECT_NEAR(all.mean().item<double>(), truth.nats, 4 * se + 0.05 * truth.nats);
}

TEST(LeakedEffect, HasTheGradientOfFiniteDifferences) {
  const CausalDraws draws = draw(options_of(Objective::joint_unconditional, flow::Correction::delta), 2, 2);
  at::Tensor logits = classify(draws.latents).log().requires_grad_(true);
  const auto value = [&](const at::Tensor& l) { return leaked_effect(draws, at::softmax(l, 1)); };
  value(logits).backward();
  const at::NoGradGuard no_grad;
  for (const std::int64_t i : {0, 17, 50}) {
    const auto moved = [&](double h) {
      at::Tensor copy = logits.detach().clone();
      copy.view(-1)[i] += h;
      return value(copy).item<double>();
    };
    EXPECT_NEAR(logits.grad().flatten()[i].item<double>(), (moved(1e-5) - moved(-1e-5)) / 2e-5, 1e-8);
  }
}

TEST(LeakedEffect, NeedsCrossedDrawsOfAllAlphas) {
  CausalOptions nested = options_of(Objective::joint_unconditional);
  nested.estimator.sampling = flow::Sampling::nested;
  for (const CausalOptions& options : {nested, options_of(Objective::independent_unconditional)}) {
    const CausalDraws draws = draw(options);
    EXPECT_THROW(leaked_effect(draws, classify(draws.latents)), Error);
  }
}

}  // namespace
}  // namespace whence::gce
