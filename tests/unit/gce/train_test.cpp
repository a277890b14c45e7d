// Training on a problem whose answer is known: two kinds of images that differ in brightness on one side, and
// a classifier that looks at that side only. One causal factor must find it, and carry nearly log 2.
#include "whence/explain/gce/train.h"

#include <ATen/Parallel.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include <filesystem>

#include "support/errors.h"
#include "unit/gce/sides.h"
#include "whence/core/error.h"
#include "whence/core/machine.h"
#include "whence/core/random.h"
#include "whence/data/batches.h"
#include "whence/explain/gce/flow.h"
#include "whence/explain/gce/trust.h"
#include "whence/models/zoo.h"

namespace whence::gce {
namespace {

using test::sides;

class LeftHalf : public models::Classifier {
 public:
  explicit LeftHalf(double slope = 20, double middle = 0.4) : slope_(slope), middle_(middle) {}
  at::Tensor logits(const at::Tensor& x) const override {
    const at::Tensor brightness = slope_ * (x.narrow(3, 0, 4).mean({1, 2, 3}) - middle_);
    return at::stack({-brightness, brightness}, 1);
  }
  std::int64_t classes() const override { return 2; }

 private:
  double slope_, middle_;
};

/// Each half has its say, and so has each latent that stands for one of them.
class BothHalves : public models::Classifier {
 public:
  at::Tensor logits(const at::Tensor& x) const override {
    const at::Tensor brightness = 20 * (x.mean({1, 2, 3}) - 0.4);
    return at::stack({-brightness, brightness}, 1);
  }
  std::int64_t classes() const override { return 2; }
};

class Unasked : public models::Classifier {
 public:
  at::Tensor logits(const at::Tensor&) const override { throw std::logic_error("the classifier was asked"); }
  std::int64_t classes() const override { return 2; }
};

struct Trained {
  nn::Network encoder, decoder;
  nn::LoopSummary summary;
};

Training short_training(std::uint64_t seed, double lambda) {
  Training training;
  training.causal = training.noncausal = 1;
  training.lambda = lambda;
  training.steps = 150;
  training.batch = 32;
  training.learning_rate = 5e-3;
  training.schedule = Schedule::one_cycle;
  training.seed = seed;
  return training;
}

Trained untrained() {
  const models::CvaeOptions options{.image = {1, 8, 8}, .latents = 2, .width = 8};
  return {models::cvae_encoder(options), models::cvae_decoder(options), {}};
}

Trained train_with(const models::Classifier& classifier, const Training& training) {
  Trained trained = untrained();
  trained.summary = train(trained.encoder, trained.decoder, classifier, sides(256), training);
  return trained;
}

Trained train_sides(std::uint64_t seed, double lambda) {
  return train_with(LeftHalf(), short_training(seed, lambda));
}

/// How far apart the weights of two networks of the same kind are.
double distance(const nn::Network& a, const nn::Network& b) {
  double largest = 0;
  for (std::size_t i = 0; i < a.parameters().size(); ++i)
    largest =
        std::max(largest, (a.parameters()[i].tensor - b.parameters()[i].tensor).abs().max().item<double>());
  return largest;
}

FlowReport flow_of(const Trained& trained, const models::Classifier& classifier = LeftHalf()) {
  FlowOptions options;
  options.outer = options.inner = 50;
  return measure_flow(*models::as_decoder(trained.decoder), classifier, 1, options, 1);
}

TEST(GceTraining, FindsTheKnownCause) {
  const FlowReport flow = flow_of(train_sides(0, 0.05));
  EXPECT_GT(flow.alpha.nats, 0.5);  // of log 2 = 0.693
  EXPECT_LT(flow.beta.nats, 0.05);
}

class GceTrainingByObjective : public testing::TestWithParam<Objective> {};

TEST_P(GceTrainingByObjective, FindsTheKnownCause) {
  Training training = short_training(0, 0.05);
  training.effect.objective = GetParam();
  training.effect.estimator.sampling =
      Sampling::crossed;  // the conditional ones compare draws with beta held
  const FlowReport flow = flow_of(train_with(LeftHalf(), training));
  EXPECT_GT(flow.alpha.nats, 0.5);  // of log 2 = 0.693
  EXPECT_LT(flow.beta.nats, 0.05);
}

/// Also by the objectives that ask each alpha alone, whose mean over the alphas is not the flow of both.
TEST_P(GceTrainingByObjective, GivesTwoAlphasTheirPart) {
  Training training = short_training(0, 0.05);
  training.effect.objective = GetParam();
  training.effect.estimator.sampling = Sampling::crossed;
  training.causal = 2;
  training.noncausal = 0;
  training.steps = 300;
  const Trained trained = train_with(BothHalves(), training);
  FlowOptions options;
  options.outer = options.inner = 50;
  const FlowReport flow = measure_flow(*models::as_decoder(trained.decoder), BothHalves(), 2, options, 1);
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

Training variational_training(std::uint64_t seed) {
  Training training = short_training(seed, 0.05);
  training.effect.inference = Inference::variational;
  training.effect.estimator.sampling = Sampling::nested;
  training.effect.alpha_samples = 64;
  training.effect.beta_samples = 1;
  return training;
}

/// The label model must learn before it can teach: more steps than with averages.
TEST(GceTraining, TheVariationalBoundFindsTheKnownCause) {
  Training training = variational_training(0);
  training.steps = 300;
  const FlowReport flow = flow_of(train_with(LeftHalf(), training));
  EXPECT_GT(flow.alpha.nats, 0.5);  // of log 2 = 0.693
  EXPECT_LT(flow.beta.nats, 0.05);
}

/// Also of the label model and its optimizer, on which the later steps depend.
TEST(GceTraining, ResumedVariationalTrainingEndsWithTheBitsOfUninterruptedTraining) {
  Training training = variational_training(2);
  training.steps = 30;
  const Trained whole = train_with(LeftHalf(), training);

  training.checkpoint = std::filesystem::path(testing::TempDir()) / "variational.safetensors";
  std::filesystem::remove(training.checkpoint);
  Trained parts = untrained();
  std::vector<std::int64_t> seen;
  const auto run_until = [&](std::int64_t last) {
    parts = untrained();
    train(parts.encoder, parts.decoder, LeftHalf(), sides(256), training, [&](const Progress& now) {
      seen.push_back(now.step);
      if (now.step == last) throw Error("interrupted", ExitCode::interrupted);
    });
  };
  EXPECT_THROW(run_until(11), Error);
  run_until(-1);
  EXPECT_EQ(seen.size(), 30u);  // the second part went on where the first one stopped
  for (std::size_t i = 0; i < whole.decoder.parameters().size(); ++i)
    EXPECT_TRUE(at::equal(whole.decoder.parameters()[i].tensor, parts.decoder.parameters()[i].tensor));
  std::filesystem::remove(training.checkpoint);
}

/// An autoencoder leaves the side that the classifier looks at to any latent.
TEST(GceTraining, PretrainingMakesTheLatentThatMovesTheClassifierTheCause) {
  int changed = 0;
  for (const std::uint64_t seed : {0U, 1U, 2U, 3U, 4U, 5U}) {
    Training plain = short_training(seed, 1);
    plain.learning_rate = 3e-3;
    plain.causal_weight = 0;
    const FlowReport before = flow_of(train_with(Unasked(), plain));
    Training training = plain;
    training.causal_weight = 1;
    training.pretraining = plain.steps;
    training.steps = 1;
    const FlowReport after = flow_of(train_with(LeftHalf(), training));
    EXPECT_GT(after.alpha.nats, after.beta.nats - 0.02) << seed;
    if (before.alpha.nats < before.beta.nats - 0.05) ++changed;
  }
  EXPECT_GT(changed, 0) << "none of these seeds needed it";
}

TEST(GceTraining, PretrainingIsAStageOfItsOwn) {
  Training training = short_training(0, 1);
  training.pretraining = 5;
  training.steps = 3;
  std::vector<std::string> seen;
  Trained trained = untrained();
  train(trained.encoder, trained.decoder, LeftHalf(), sides(256), training, [&](const Progress& now) {
    seen.push_back(fmt::format("{} {}/{} {}", now.stage, now.step, now.total, now.values.front().first));
  });
  ASSERT_EQ(seen.size(), 8u);
  EXPECT_EQ(seen[4], "explanation/pretraining 5/5 SSE");
  EXPECT_EQ(seen[5], "explanation 1/3 C");
}

TEST(GceTraining, RefusesLatentsThatCannotBeReorderedBeforeItsFirstStep) {
  Training training = short_training(0, 1);
  Trained trained = untrained();
  nn::Network decoder("odd", trained.decoder.input_shape());
  decoder.add("relu", nn::Relu{});
  decoder.add("fc", nn::Linear{trained.encoder.input_shape()[1] * trained.encoder.input_shape()[2]});
  decoder.add("image", nn::Reshape{trained.encoder.input_shape()});
  std::int64_t steps = 0;
  const auto run = [&] {
    train(trained.encoder, decoder, LeftHalf(), sides(64), training, [&](const Progress&) { ++steps; });
  };
  training.steps = 1;
  run();
  EXPECT_EQ(steps, 1) << "without pretraining";
  training.pretraining = 5;
  test::expect_error(run, {"relu is none"}, ExitCode::usage);
  EXPECT_EQ(steps, 1);
}

/// Interrupted before, at and behind the step where latents change places.
TEST(GceTraining, PretrainingThatIsResumedEndsWithTheBitsOfUninterruptedTraining) {
  Training training = variational_training(2);
  training.pretraining = 20;
  training.steps = 10;
  const Trained whole = train_with(LeftHalf(), training);
  training.checkpoint = std::filesystem::path(testing::TempDir()) / "pretrained.safetensors";
  std::filesystem::remove(training.checkpoint);
  Trained parts = untrained();
  int interruptions = 0, seen = 0;
  const auto go_on = [&](int until) {
    parts = untrained();
    train(parts.encoder, parts.decoder, LeftHalf(), sides(256), training, [&](const Progress&) {
      if (++seen == until) {
        ++interruptions;
        throw Error("interrupted", ExitCode::interrupted);
      }
    });
  };
  for (const int until : {7, 20, 25}) EXPECT_THROW(go_on(until), Error);
  go_on(-1);
  EXPECT_EQ(interruptions, 3);
  EXPECT_EQ(seen, 30);
  for (std::size_t i = 0; i < whole.decoder.parameters().size(); ++i)
    EXPECT_TRUE(at::equal(whole.decoder.parameters()[i].tensor, parts.decoder.parameters()[i].tensor));
  std::filesystem::remove(training.checkpoint);
}

TEST(GceTraining, LambdaWeighsImagesAgainstTheCause) {
  // With an overwhelming bound there is no reason left to keep beta out of the classifier's way or alpha in
  // it.
  const FlowReport strong = flow_of(train_sides(0, 1e-3)), weak = flow_of(train_sides(0, 100));
  EXPECT_GT(strong.alpha.nats, weak.alpha.nats);
}

TEST(GceTraining, ThePenaltyRemovesTheLeak) {
  Training training = short_training(0, 0.05);
  training.causal_weight = 0;  // the penalty on its own
  training.effect.beta_samples = 8;
  const FlowReport without = flow_of(train_with(BothHalves(), training), BothHalves());
  training.leak_penalty = 20;
  const FlowReport with = flow_of(train_with(BothHalves(), training), BothHalves());
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
    return reencoding_agreement(*models::as_encoder(trained.encoder), *models::as_decoder(trained.decoder),
                                classifier, images)
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

TEST(GceTraining, AWarmStartGoesOnFromTheWeightsItIsGiven) {
  Trained trained = train_sides(0, 0.05);
  const nn::Network before = trained.decoder.clone();
  Training still = short_training(9, 0.05);
  still.warm_start = true;
  still.steps = 2;
  still.learning_rate = 1e-12;
  train(trained.encoder, trained.decoder, LeftHalf(), sides(256), still);
  EXPECT_LT(distance(trained.decoder, before), 1e-6);
  still.warm_start = false;
  train(trained.encoder, trained.decoder, LeftHalf(), sides(256), still);
  EXPECT_GT(distance(trained.decoder, before), 1e-2);
}

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

TEST(GceTraining, LatentsThatDoNotFitAreAProgrammersError) {
  nn::Network encoder = models::cvae_encoder({.image = {1, 8, 8}, .latents = 3, .width = 4});
  nn::Network decoder = models::cvae_decoder({.image = {1, 8, 8}, .latents = 3, .width = 4});
  EXPECT_THROW(train(encoder, decoder, LeftHalf(), sides(8), Training{}), c10::Error);
}

/// C of a step by hand: its images encoded with its noise, alphas and betas of different images decoded and classified.
at::Tensor posterior_effect(const Trained& models, const at::Tensor& images, const Training& training) {
  Generator generator = make_generator(training.seed, "gce/step/0");
  const std::vector<at::Tensor> posterior = models.encoder.forward_all(images, {});
  const at::Tensor z = posterior[0] + (0.5 * posterior[1]).exp() * at::randn({training.batch, 2}, generator);
  std::vector<at::Tensor> rows;
  for (std::int64_t a = 0; a < training.batch; ++a)
    for (std::int64_t b = 1; b <= 3; ++b)
      rows.push_back(at::stack({z[a][0], z[(a + b) % training.batch][1]}));
  const at::Tensor p =
      LeftHalf().logits(models.decoder.forward(at::stack(rows), {})).softmax(1).view({training.batch, 3, 2});
  const at::Tensor of_alpha = p.mean(1).to(at::kDouble), all = of_alpha.mean(0);
  return (of_alpha * of_alpha.log()).sum(1).mean() - (all * all.log()).sum();
}

/// Adam's first step moves each weight by the learning rate, up or down as its gradient says.
void expect_ascent(const nn::Network& before, const nn::Network& after,
                   const std::vector<at::Tensor>& gradients, double rate) {
  for (std::size_t i = 0; i < gradients.size(); ++i) {
    const at::Tensor clear = gradients[i].abs() > 3e-6;
    EXPECT_GT(clear.sum().item<std::int64_t>(), 0) << before.parameters()[i].name;
    const at::Tensor moved = (after.parameters()[i].tensor - before.parameters()[i].tensor).detach() / rate;
    EXPECT_LT(((moved - gradients[i].sign()) * clear).abs().max().item<double>(), 2e-2)
        << before.parameters()[i].name;
  }
}

TEST(GceTraining, DrawsOfThePosteriorMoveEncoderAndDecoderTowardsTheCause) {
  Training training = short_training(6, 0.05);
  training.steps = 60;  // the cause is begun to be seen, and far from certain
  const Trained start = train_with(LeftHalf(), training);
  training.lambda = 0;
  training.steps = 1;
  training.schedule = Schedule::constant;
  training.warm_start = true;
  training.effect.latents = Latents::posterior;
  training.effect.estimator.sampling = Sampling::nested;
  training.effect.beta_samples = 3;

  const data::Dataset images = sides(256);
  const Trained by_hand = {start.encoder.clone(), start.decoder.clone(), {}};
  const at::Tensor expected =
      posterior_effect(by_hand, data::Batches(images, training.batch, training.seed).at(0).images, training);
  std::vector<at::Tensor> sought;
  for (const nn::Network* network : {&by_hand.encoder, &by_hand.decoder})
    for (const auto& [name, tensor] : network->parameters()) sought.push_back(tensor);
  const std::vector<at::Tensor> gradients = torch::autograd::grad({expected}, sought);
  const auto split = gradients.begin() + static_cast<std::ptrdiff_t>(start.encoder.parameters().size());

  Trained trained = {start.encoder.clone(), start.decoder.clone(), {}};
  double causal = 0;
  train(trained.encoder, trained.decoder, LeftHalf(), images, training,
        [&](const Progress& now) { causal = now.values[0].second; });
  EXPECT_NEAR(causal, expected.item<double>(), 1e-5);
  EXPECT_GT(causal, 0.05);
  expect_ascent(start.encoder, trained.encoder, {gradients.begin(), split}, training.learning_rate);
  expect_ascent(start.decoder, trained.decoder, {split, gradients.end()}, training.learning_rate);
}

class GceParts : public testing::TestWithParam<Latents> {
 protected:
  /// All weights after a training of the squares' classifier with so many threads.
  static at::Tensor weights_with(int threads, const Training& training) {
    nn::Network classifier = models::base_cnn({.image = {1, 8, 8}, .classes = 2, .width = 4});
    Generator weights = make_generator(5, "parts/classifier");
    nn::initialise(classifier, {}, weights);
    const auto role = models::as_classifier(classifier);
    const int before = at::get_num_threads();
    use_threads(threads);
    const Trained trained = train_with(*role, training);
    use_threads(before);
    std::vector<at::Tensor> flat;
    for (const nn::Network* network : {&trained.encoder, &trained.decoder})
      for (const auto& [name, tensor] : network->parameters()) flat.push_back(tensor.detach().flatten());
    return at::cat(flat);
  }
};

/// A part without a draw has no answer to give.
TEST_F(GceParts, ThereAreNoMoreThanDraws) {
  Training training = variational_training(1);
  training.steps = 3;
  training.effect.alpha_samples = 2;
  EXPECT_LT((weights_with(1, training) - weights_with(3, training)).abs().max().item<double>(), 1e-4);
}

/// A step cut into two parts is the step of one part, up to the rounding of sums: also with the leak penalty, whose
/// classifier must be a known network to be asked by two threads.
TEST_P(GceParts, SideBySideGiveTheGradientsOfTheWhole) {
  Training training = short_training(1, 0.05);
  training.steps = 3;
  training.leak_penalty = 0.5;
  training.answer_weight = 0.5;
  training.effect.estimator.sampling = Sampling::crossed;
  training.effect.latents = GetParam();

  const double moved = (weights_with(1, training) - weights_with(2, training)).abs().max().item<double>();
  EXPECT_GT(moved, 0) << "one thread and two must not have taken the same path";
  EXPECT_LT(moved, 1e-4);
}
INSTANTIATE_TEST_SUITE_P(OfEither, GceParts, testing::Values(Latents::prior, Latents::posterior),
                         [](const auto& each) { return std::string(name_of(each.param)); });

}  // namespace
}  // namespace whence::gce
