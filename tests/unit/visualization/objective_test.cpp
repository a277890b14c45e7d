// What is asked of a classifier: values against the layers' own, gradients against differences.
#include "whence/explain/visualization/objective.h"

#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include "support/errors.h"
#include "unit/visualization/cases.h"

namespace whence::visualization {
namespace {

using namespace known;
using whence::test::contains;
using whence::test::error_of;
using whence::test::usage_error_of;

Objective objective(Goal goal, const std::string& layer = "", std::vector<std::int64_t> units = {0, 2}) {
  Objective asked{goal, layer, std::move(units), {}, {}};
  if (goal == Goal::direction)
    asked.directions = at::tensor({1.0F, 2.0F, -2.0F, 0.0F, 0.5F, -1.0F}).view({2, 3});
  return asked;
}

TEST(Objective, ValuesAreThoseOfTheLayers) {
  const auto classifier = smooth();
  const at::NoGradGuard no_grad;
  const at::Tensor x = random_images({4, 1, 5, 6}), logits = classifier->logits(x);
  const nn::Network& network = *classifier->network();
  const at::Tensor layer = network.activations(x)[network.find("conv2")];  // (4, 3, 2, 3)
  const auto equal = [&](const Objective& asked, const at::Tensor& expected) {
    EXPECT_TRUE(at::allclose(Response(*classifier, asked)(x), expected, 1e-5, 1e-6)) << name_of(asked.goal);
  };
  const at::Tensor units = at::tensor({0, 2}, at::kLong);
  equal(objective(Goal::logit), logits.index_select(1, units));
  equal(objective(Goal::probability), logits.softmax(1).index_select(1, units));
  equal(objective(Goal::channel, "conv2"), layer.mean({2, 3}).index_select(1, units));
  equal(objective(Goal::neuron, "conv2"), layer.select(3, 1).select(2, 1).index_select(1, units));
  Objective placed = objective(Goal::neuron, "conv2");
  placed.place = {0, 2};
  equal(placed, layer.select(3, 2).select(2, 0).index_select(1, units));
  equal(objective(Goal::layer, "conv2"), layer.square().mean({1, 2, 3}).unsqueeze(1));
  const at::Tensor mean = layer.mean({2, 3});
  const at::Tensor first = (mean.select(1, 0) + 2 * mean.select(1, 1) - 2 * mean.select(1, 2)) / 3.0;
  EXPECT_TRUE(at::allclose(Response(*classifier, objective(Goal::direction, "conv2"))(x).select(1, 0), first,
                           1e-5, 1e-6));
  equal(objective(Goal::channel, "hidden"),
        network.activations(x)[network.find("hidden")].index_select(1, units));
}

TEST(Objective, GradientsAreThoseOfDifferences) {
  const auto classifier = smooth();
  constexpr double kStep = 1e-2;
  for (const Objective& asked :
       {objective(Goal::probability), objective(Goal::logit), objective(Goal::neuron, "conv2"),
        objective(Goal::channel, "conv1"), objective(Goal::layer, "tanh2"),
        objective(Goal::direction, "tanh2"), objective(Goal::neuron, "hidden")}) {
    const Response response(*classifier, asked);
    const at::Tensor x = random_images({1, 1, 5, 6}, 8).requires_grad_();
    const at::Tensor gradient =
        torch::autograd::grad({response(x).select(1, 0).sum()}, {x}).front().flatten();
    const at::NoGradGuard no_grad;
    const at::Tensor steps = kStep * at::eye(30).view({30, 1, 5, 6});
    const at::Tensor differences =
        (response(x + steps).select(1, 0) - response(x - steps).select(1, 0)) / (2 * kStep);
    EXPECT_TRUE(at::allclose(gradient, differences, 1e-2, 2e-4)) << name_of(asked.goal);
    EXPECT_GT(gradient.norm().item<double>(), 1e-4) << name_of(asked.goal);
  }
}

TEST(Objective, ErrorsNameWhatIsThere) {
  const auto classifier = smooth();
  const auto error = [&](const Objective& asked) {
    return usage_error_of([&] { Response(*classifier, asked); });
  };
  EXPECT_TRUE(contains(error_of([&] { Response(*classifier, objective(Goal::channel, "cnov1")); }), "conv1"));
  EXPECT_TRUE(contains(error(objective(Goal::channel)), "about a layer"));
  EXPECT_TRUE(contains(error(objective(Goal::channel, "conv2", {3})), "numbers 0 to 2"));
  EXPECT_TRUE(contains(error(objective(Goal::logit, "", {3})), "numbers 0 to 2"));
  EXPECT_TRUE(contains(error(objective(Goal::logit, "", {})), "names no class"));
  Objective placed = objective(Goal::neuron, "conv2");
  placed.place = {2, 0};
  EXPECT_TRUE(contains(error(placed), "numbers 0 to 1"));
  placed.layer = "hidden";
  EXPECT_TRUE(contains(error(placed), "no places"));
  Objective zero = objective(Goal::direction, "conv2");
  zero.directions = at::zeros({1, 3});
  EXPECT_TRUE(contains(error(zero), "zero"));
  zero.directions = at::ones({1, 4});
  EXPECT_TRUE(contains(error(zero), "3 channels"));
}

/// Class goals need no layers; the others say in one sentence what stands against them.
TEST(Objective, AnOpaqueClassifierHasClassesOnly) {
  const Linear opaque(at::ones({1, 5, 6}));
  const at::Tensor x = random_images({2, 1, 5, 6});
  EXPECT_TRUE(
      at::allclose(Response(opaque, objective(Goal::logit, "", {1}))(x).select(1, 0), x.sum({1, 2, 3})));
  const std::string sentence = error_of([&] { Response(opaque, objective(Goal::channel, "conv1")); });
  EXPECT_TRUE(contains(sentence, "aten::cumsum"));
  EXPECT_TRUE(contains(sentence, "'channel'"));
  EXPECT_FALSE(contains(sentence, "\n"));
}

TEST(Objective, LayersWithChannelsAreTheConvolutions) {
  const auto classifier = smooth();
  EXPECT_EQ(layers_with_channels(*classifier->network()), (std::vector<std::string>{"conv1", "conv2"}));
  EXPECT_EQ(channels_of(*classifier, "conv1"), 4);
}

}  // namespace
}  // namespace whence::visualization
