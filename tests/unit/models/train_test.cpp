#include "whence/models/train/classifier.h"

#include <gtest/gtest.h>

#include "support/meta.h"
#include "whence/core/random.h"
#include "whence/models/zoo/zoo.h"

namespace whence::models {
namespace {

/// 12x12 noise; class 1 is brighter on the left, class 0 on the right.
data::Dataset sides(std::int64_t count) {
  Generator generator = make_generator(5, "classifier-test");
  const at::Tensor labels = at::arange(count) % 2;
  at::Tensor images = at::rand({count, 1, 12, 12}, generator) * 120;
  images.narrow(3, 0, 6).add_(100 * labels.view({-1, 1, 1, 1}));
  images.narrow(3, 6, 6).add_(100 * (1 - labels).view({-1, 1, 1, 1}));
  return {images.to(at::kByte), labels.to(at::kLong), {"right", "left"}};
}

nn::Network train(std::uint64_t seed, std::vector<Progress>* seen = nullptr) {
  nn::Network network = base_cnn({.image = {1, 12, 12}, .classes = 2, .width = 4});
  ClassifierTraining options;
  options.epochs = 3;
  options.batch = 16;
  options.learning_rate = 0.05;
  options.seed = seed;
  const nn::LoopSummary summary =
      train_classifier(network, sides(160), options, [&](const Progress& progress) {
        if (seen != nullptr) seen->push_back(progress);
      });
  EXPECT_EQ(summary.steps, 30);
  return network;
}

TEST(ClassifierTraining, LearnsWhatTellsTheClassesApart) {
  std::vector<Progress> seen;
  const nn::Network network = train(0, &seen);
  const data::Dataset held_out = data::slice(sides(260), 160, 100);
  const at::Tensor right = network.forward(data::to_float(held_out)).argmax(1) == held_out.labels;
  EXPECT_GE(right.to(at::kDouble).mean().item<double>(), 0.98);
  ASSERT_EQ(seen.size(), 30U);
  EXPECT_EQ(seen.back().stage, "classifier");
  EXPECT_EQ(seen.back().total, 30);
  EXPECT_LT(seen.back().values[0].second, seen.front().values[0].second);
}

TEST(ClassifierTraining, TheSameSeedGivesTheSameBits) {
  const auto weights = [](const nn::Network& network) { return network.parameters()[0].tensor; };
  EXPECT_TRUE(at::equal(weights(train(1)), weights(train(1))));
  EXPECT_FALSE(at::equal(weights(train(1)), weights(train(2))));
}

TEST(ClassifierTraining, AwayFromTheProcessorAStepWaitsForNothing) {
  nn::Network network("linear", {1, 12, 12});
  network.add("flatten", nn::Flatten{});
  network.add("hidden", nn::Linear{8});
  network.add("tanh", nn::Tanh{});
  network.add("drop", nn::Dropout{0.5});
  network.add("fc", nn::Linear{2});
  network.to(at::kMeta);
  ClassifierTraining options;
  options.epochs = 3;
  options.batch = 16;
  options.augmentation = {.flip = true, .crop = 1, .cutout = 3};
  test::expect_three_steps_without_a_wait(
      [&](const ProgressCallback& progress) { train_classifier(network, sides(160), options, progress); });
}

/// The steps by hand for a linear classifier and whole batches, with the gradient in closed form.
at::Tensor trained_by_hand(const data::Dataset& data, const ClassifierTraining& options,
                           const std::vector<double>& rates) {
  nn::Network initial("linear", {1, 12, 12});
  initial.add("flatten", nn::Flatten{});
  initial.add("fc", nn::Linear{2});
  Generator weights = make_generator(options.seed, "classifier/weights");
  nn::initialise(initial, {}, weights);
  const at::Tensor x = data::to_float(data).flatten(1).to(at::kDouble);
  const double smoothing = options.label_smoothing;
  const at::Tensor target = (1 - smoothing) * at::one_hot(data.labels, 2).to(at::kDouble) + smoothing / 2;
  at::Tensor w = initial.parameters()[0].tensor.to(at::kDouble),
             b = initial.parameters()[1].tensor.to(at::kDouble);
  at::Tensor first_w = at::zeros_like(w), first_b = at::zeros_like(b), second_w = first_w.clone(),
             second_b = first_b.clone();
  const bool adam = options.optimizer == ClassifierOptimizer::adam;
  for (std::size_t t = 0; t < rates.size(); ++t) {
    const double rate = rates[t], n = static_cast<double>(t) + 1;
    const at::Tensor slope =
        ((at::matmul(x, w.t()) + b).softmax(1) - target) / static_cast<double>(data.size());
    at::Tensor grad_w = at::matmul(slope.t(), x), grad_b = slope.sum(0);
    if (adam) {
      w = w * (1 - rate * options.weight_decay);
      const auto step = [&](at::Tensor& value, at::Tensor& first, at::Tensor& second,
                            const at::Tensor& grad) {
        first = 0.9 * first + 0.1 * grad;
        second = 0.999 * second + 0.001 * grad * grad;
        const at::Tensor scale = (second / (1 - std::pow(0.999, n))).sqrt() + 1e-8;
        value = value - rate * first / (1 - std::pow(0.9, n)) / scale;
      };
      step(w, first_w, second_w, grad_w);
      step(b, first_b, second_b, grad_b);
    } else {
      first_w = options.momentum * first_w + grad_w + options.weight_decay * w;
      first_b = options.momentum * first_b + grad_b;
      w = w - rate * first_w;
      b = b - rate * first_b;
    }
  }
  return at::cat({w.flatten(), b});
}

TEST(ClassifierTraining, OptimizersDecayAndSchedulesAreTheirFormulas) {
  const data::Dataset data = sides(40);
  ClassifierTraining options;
  options.epochs = 4;
  options.batch = 40;
  options.weight_decay = 0.3;
  options.label_smoothing = 0.2;
  const std::vector<double> one_cycle = {0.05, 0.1, 0.05, 0}, falling = {0.1, 0.05, 0.025, 0.0125};
  for (const auto optimizer : {ClassifierOptimizer::sgd, ClassifierOptimizer::adam}) {
    for (const auto schedule : {ClassifierSchedule::decay, ClassifierSchedule::one_cycle}) {
      options.optimizer = optimizer;
      options.schedule = schedule;
      options.decay = 0.5;
      options.warmup = 0.5;
      nn::Network network("linear", {1, 12, 12});
      network.add("flatten", nn::Flatten{});
      network.add("fc", nn::Linear{2});
      train_classifier(network, data, options);
      const nn::NamedTensors found = network.parameters();
      const at::Tensor all = at::cat({found[0].tensor.flatten(), found[1].tensor}).to(at::kDouble);
      const bool cycle = schedule == ClassifierSchedule::one_cycle;
      const at::Tensor expected = trained_by_hand(data, options, cycle ? one_cycle : falling);
      EXPECT_LT((all - expected).abs().max().item<double>(), 1e-5)
          << static_cast<int>(optimizer) << static_cast<int>(schedule);
    }
  }
}

TEST(ClassifierTraining, AugmentationChangesTheTrainingAndOnlyBySeedAndStep) {
  const auto weights = [](bool flip, std::int64_t crop) {
    nn::Network network = base_cnn({.image = {1, 12, 12}, .classes = 2, .width = 2});
    ClassifierTraining options;
    options.epochs = 1;
    options.batch = 16;
    options.augmentation = {flip, crop};
    train_classifier(network, sides(64), options);
    return network.parameters()[0].tensor;
  };
  EXPECT_TRUE(at::equal(weights(true, 2), weights(true, 2)));
  EXPECT_FALSE(at::equal(weights(true, 0), weights(false, 0)));
  EXPECT_FALSE(at::equal(weights(false, 2), weights(false, 0)));
}

}  // namespace
}  // namespace whence::models
