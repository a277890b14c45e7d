// A training away from the processor: all that a step makes lies with the networks, and it waits for nothing.
#include "support/meta.h"
#include "unit/gce/train_support.h"

namespace whence::gce {
namespace {

using namespace test_support;

nn::Network perceptron_encoder() {
  nn::Network network("encoder", {1, 8, 8});
  network.add("flatten", nn::Flatten{});
  network.add("hidden", nn::Linear{16});
  network.add("tanh", nn::Tanh{});
  network.add("mean", nn::Linear{2});
  network.add("log_variance", nn::Linear{2}, {"tanh"});
  network.set_outputs({"mean", "log_variance"});
  return network;
}

nn::Network perceptron_decoder() {
  nn::Network network("decoder", {2});
  network.add("hidden", nn::Linear{16});
  network.add("tanh", nn::Tanh{});
  network.add("pixels", nn::Linear{64});
  network.add("sigmoid", nn::Sigmoid{});
  network.add("image", nn::Reshape{{1, 8, 8}});
  return network;
}

nn::Network perceptron_classifier() {
  nn::Network network("classifier", {1, 8, 8});
  network.add("flatten", nn::Flatten{});
  network.add("fc", nn::Linear{2});
  return network;
}

void train_away(const Training& training) {
  nn::Network encoder = perceptron_encoder(), decoder = perceptron_decoder(), judge = perceptron_classifier();
  for (nn::Network* network : {&encoder, &decoder, &judge}) {
    network->to(at::kMeta);
    ASSERT_EQ(network->device(), at::Device(at::kMeta));
  }
  const auto classifier = models::as_classifier(judge);
  test::expect_three_steps_without_a_wait([&](const ProgressCallback& progress) {
    train(encoder, decoder, *classifier, test::sides(256), training, progress);
  });
}

TEST(TrainingAway, AveragesOverDrawsOfThePrior) { train_away(short_training(1, 0.05)); }

TEST(TrainingAway, LearnsALabelModel) { train_away(variational_training(1)); }

TEST(TrainingAway, AsksThePosterior) {
  Training training = short_training(1, 0.05);
  training.effect.latents = Latents::posterior;
  training.effect.estimator.sampling = flow::Sampling::crossed;
  train_away(training);
}

TEST(TrainingAway, KeepsAnswersAndPunishesLeaks) {
  Training training = short_training(1, 0.05);
  training.answer_weight = 1;
  training.leak_penalty = 1;
  training.effect.estimator.sampling = flow::Sampling::crossed;
  training.effect.beta_samples = 2;
  train_away(training);
}

TEST(TrainingAway, HoldsDrawsToTheManifold) {
  Training training = short_training(1, 0.05);
  training.pretraining = 200;  // its steps come first
  training.manifold_weight = 1;
  train_away(training);
}

}  // namespace
}  // namespace whence::gce
