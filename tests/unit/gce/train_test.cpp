// Training on a problem whose answer is known: two kinds of images that differ in brightness on one side, and
// a classifier that looks at that side only. One causal factor must find it, and carry nearly log 2.
#include "whence/explain/gce/train.h"

#include <gtest/gtest.h>

#include "unit/gce/sides.h"
#include "unit/gce/train_support.h"
#include "whence/explain/flow/information_flow.h"
#include "whence/explain/flow/trust.h"
#include "whence/models/zoo/zoo.h"

namespace whence::gce {
namespace {

using test::sides;
using test_support::flow_of;
using test_support::LeftHalf;
using test_support::short_training;
using test_support::train_sides;
using test_support::train_with;
using test_support::Trained;
using test_support::Unasked;
using test_support::untrained;
using test_support::variational_training;

/// Each half has its say, and so has each latent that stands for one of them.
class BothHalves : public models::Classifier {
 public:
  at::Tensor logits(const at::Tensor& x) const override {
    const at::Tensor brightness = 20 * (x.mean({1, 2, 3}) - 0.4);
    return at::stack({-brightness, brightness}, 1);
  }
  std::int64_t classes() const override { return 2; }
};

TEST(GceTraining, FindsTheKnownCause) {
  const flow::FlowReport flow = flow_of(train_sides(0, 0.05));
  EXPECT_GT(flow.alpha.nats, 0.5);  // of log 2 = 0.693
  EXPECT_LT(flow.beta.nats, 0.05);
}

class GceTrainingByObjective : public testing::TestWithParam<Objective> {};

TEST_P(GceTrainingByObjective, FindsTheKnownCause) {
  Training training = short_training(0, 0.05);
  training.effect.objective = GetParam();
  training.effect.estimator.sampling =
      flow::Sampling::crossed;  // the conditional ones compare draws with beta held
  const flow::FlowReport flow = flow_of(train_with(LeftHalf(), training));
  EXPECT_GT(flow.alpha.nats, 0.5);  // of log 2 = 0.693
  EXPECT_LT(flow.beta.nats, 0.05);
}

/// Also by the objectives that ask each alpha alone, whose mean over the alphas is not the flow of both.
TEST_P(GceTrainingByObjective, GivesTwoAlphasTheirPart) {
  Training training = short_training(0, 0.05);
  training.effect.objective = GetParam();
  training.effect.estimator.sampling = flow::Sampling::crossed;
  training.causal = 2;
  training.noncausal = 0;
  training.steps = 300;
  const Trained trained = train_with(BothHalves(), training);
  flow::FlowOptions options;
  options.outer = options.inner = 50;
  const flow::FlowReport flow =
      flow::measure_flow(*models::as_decoder(trained.decoder), BothHalves(), 2, options, 1);
  EXPECT_GT(flow.alpha.nats, 0.5);
}

INSTANTIATE_TEST_SUITE_P(Objectives, GceTrainingByObjective,
                         testing::Values(Objective::joint_unconditional, Objective::joint_conditional,
                                         Objective::independent_unconditional,
                                         Objective::independent_conditional),
                         [](const auto& test) { return std::string(name_of(test.param)); });

TEST(GceTraining, TheSameSeedGivesTheSameBitsAndAnotherDoesNot) {
  const Trained a = train_sides(4, 0.05), b = train_sides(4, 0.05), c = train_sides(5, 0.05);
  const auto weights = [](const Trained& trained) { return trained.decoder.parameters()[0].tensor; };
  EXPECT_TRUE(at::equal(weights(a), weights(b)));
  EXPECT_FALSE(at::equal(weights(a), weights(c)));
}

/// The label model must learn before it can teach: more steps than with averages.
TEST(GceTraining, TheVariationalBoundFindsTheKnownCause) {
  Training training = variational_training(0);
  training.steps = 300;
  const flow::FlowReport flow = flow_of(train_with(LeftHalf(), training));
  EXPECT_GT(flow.alpha.nats, 0.5);  // of log 2 = 0.693
  EXPECT_LT(flow.beta.nats, 0.05);
}

TEST(GceTraining, LambdaWeighsImagesAgainstTheCause) {
  // With an overwhelming bound there is no reason left to keep beta out of the classifier's way or alpha in
  // it.
  const flow::FlowReport strong = flow_of(train_sides(0, 1e-3)), weak = flow_of(train_sides(0, 100));
  EXPECT_GT(strong.alpha.nats, weak.alpha.nats);
}

TEST(GceTraining, ThePenaltyRemovesTheLeak) {
  Training training = short_training(0, 0.05);
  training.causal_weight = 0;  // the penalty on its own
  training.effect.beta_samples = 8;
  const flow::FlowReport without = flow_of(train_with(BothHalves(), training), BothHalves());
  training.leak_penalty = 20;
  const flow::FlowReport with = flow_of(train_with(BothHalves(), training), BothHalves());
  EXPECT_GT(without.beta.nats, 0.1);
  EXPECT_LT(with.beta.nats, 0.03);
  EXPECT_GT(with.alpha.nats, 0.1);  // it is not bought with a constant answer
}

/// A difference so faint that SSE does not pay for telling it, and a classifier that sees nothing else.
TEST(GceTraining, FaintCausesComeBackWhereAnswersCount) {
  constexpr double faint = 40;
  const data::Dataset images = sides(256, faint);
  const LeftHalf classifier(20 * 200 / faint, 0.4 * faint / 200);
  Training training = short_training(0, 0.05);
  training.causal_weight = 0;
  training.steps = 800;
  const auto agreement = [&](double answer_weight, double& answers) {
    training.answer_weight = answer_weight;
    Trained trained = untrained();
    train(trained.encoder, trained.decoder, classifier, images, training, [&](const Progress& progress) {
      if (progress.values[0].first == "answers") answers = progress.values[0].second;
    });
    return flow::reencoding_agreement(*models::as_encoder(trained.encoder),
                                      *models::as_decoder(trained.decoder), classifier, images)
        .value;
  };
  double unasked = -1, answers = -1;
  EXPECT_LT(agreement(0, unasked), 0.8);
  EXPECT_EQ(unasked, -1);
  EXPECT_GT(agreement(1, answers), 0.98);
  EXPECT_LT(answers, 0.1);
}

class GcePlain : public testing::TestWithParam<Inference> {};

TEST_P(GcePlain, WithoutCausalWeightTheAutoencoderIsTrainedAlone) {
  Training training = short_training(0, 1);
  training.causal_weight = 0;
  training.effect.inference = GetParam();
  Trained trained = untrained();
  std::vector<std::pair<std::string, double>> first, last;
  train(trained.encoder, trained.decoder, Unasked(), sides(256), training, [&](const Progress& progress) {
    if (first.empty()) first = progress.values;
    last = progress.values;
  });
  ASSERT_EQ(last.size(), 3u);
  EXPECT_EQ(last[0].first, "SSE");
  EXPECT_LT(last[0].second, 0.5 * first[0].second);
}
INSTANTIATE_TEST_SUITE_P(OfEither, GcePlain, testing::Values(Inference::averaged, Inference::variational),
                         [](const auto& each) { return std::string(name_of(each.param)); });

TEST(GceTraining, WithoutCausalFactorsItIsAVariationalAutoencoder) {
  const models::CvaeOptions options{.image = {1, 8, 8}, .latents = 2, .width = 4};
  const auto trained = [&](double lambda) {
    nn::Network encoder = models::cvae_encoder(options), decoder = models::cvae_decoder(options);
    Training training;
    training.causal = 0;
    training.noncausal = 2;
    training.lambda = lambda;
    training.steps = 150;
    training.batch = 32;
    training.learning_rate = 5e-3;
    std::vector<double> errors;
    train(encoder, decoder, LeftHalf(), sides(128), training, [&](const Progress& progress) {
      EXPECT_EQ(progress.values[0].first, "SSE");
      errors.push_back(progress.values[0].second);
    });
    return errors;
  };
  const std::vector<double> errors = trained(1);
  EXPECT_LT(errors.back(), 0.9 * errors.front());
  EXPECT_EQ(errors.front(), trained(1).front());
}

/// The two share their steps; so pretraining is a plain training, too.
TEST(GceTraining, WithoutCausalFactorsItHasTheBitsOfThePlainTraining) {
  Training training = short_training(6, 1);
  training.causal = 0;
  training.noncausal = 2;
  const Trained explained = train_with(Unasked(), training);
  models::VaeTraining plain;
  plain.steps = training.steps;
  plain.batch = training.batch;
  plain.learning_rate = training.learning_rate;
  plain.schedule = training.schedule;
  plain.seed = training.seed;
  Trained alone = untrained();
  models::train_vae(alone.encoder, alone.decoder, sides(256), plain);
  for (const auto& [a, b] :
       {std::pair{&explained.encoder, &alone.encoder}, {&explained.decoder, &alone.decoder}})
    for (std::size_t i = 0; i < a->parameters().size(); ++i)
      EXPECT_TRUE(at::equal(a->parameters()[i].tensor, b->parameters()[i].tensor)) << a->parameters()[i].name;
}

TEST(GceTraining, LatentsThatDoNotFitAreAProgrammersError) {
  nn::Network encoder = models::cvae_encoder({.image = {1, 8, 8}, .latents = 3, .width = 4});
  nn::Network decoder = models::cvae_decoder({.image = {1, 8, 8}, .latents = 3, .width = 4});
  EXPECT_THROW(train(encoder, decoder, LeftHalf(), sides(8), Training{}), c10::Error);
}

}  // namespace
}  // namespace whence::gce
