#include "whence/models/train.h"

#include <gtest/gtest.h>

#include "whence/core/random.h"
#include "whence/models/zoo.h"

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

}  // namespace
}  // namespace whence::models
