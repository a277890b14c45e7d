// What a training begins with: pretraining, the checkpoint of one that was interrupted, the weights of another.
#include <gtest/gtest.h>

#include <filesystem>

#include "support/errors.h"
#include "unit/gce/sides.h"
#include "unit/gce/train_support.h"
#include "whence/core/error.h"
#include "whence/explain/flow/information_flow.h"
#include "whence/explain/gce/train.h"

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
    const flow::FlowReport before = flow_of(train_with(Unasked(), plain));
    Training training = plain;
    training.causal_weight = 1;
    training.pretraining = plain.steps;
    training.steps = 1;
    const flow::FlowReport after = flow_of(train_with(LeftHalf(), training));
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
  test::expect_error(run, {"relu is not"}, ExitCode::usage);
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

/// How far apart the weights of two networks of the same kind are.
double distance(const nn::Network& a, const nn::Network& b) {
  double largest = 0;
  for (std::size_t i = 0; i < a.parameters().size(); ++i)
    largest =
        std::max(largest, (a.parameters()[i].tensor - b.parameters()[i].tensor).abs().max().item<double>());
  return largest;
}

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

}  // namespace
}  // namespace whence::gce
