// Methods that walk back through layers: exact cases, identities, and what a walk must keep.
#include "whence/explain/attribution/relevance.h"

#include <gtest/gtest.h>

#include "support/errors.h"
#include "unit/attribution/cases.h"
#include "whence/explain/attribution/excitation.h"
#include "whence/explain/attribution/grad_cam.h"

namespace whence::attribution {
namespace {

using namespace known;

/// Two linear layers with an activation between them; the second class's weights are the first one's negated, if none are given.
nn::Network two_layers(const at::Tensor& first, const at::Tensor& second, nn::Op activation = nn::Relu{}) {
  nn::Network network("S", {1, 1, first.size(1)});
  network.add("flatten", nn::Flatten{});
  network.add("fc1", nn::Linear{first.size(0), false});
  network.add("activation", activation);
  network.add("fc2", nn::Linear{2, false});
  set(network, "fc1.weight", first);
  set(network, "fc2.weight", second.size(0) == 2 ? second : at::cat({second, -second}));
  return network;
}
nn::Network network_s(float first_weight) {
  at::Tensor first = at::full({3, 3}, 2.0F);
  first[0][0] = first_weight;
  return two_layers(first, at::full({1, 3}, 3.0F));
}

Attribution by(const std::string& name, const nn::Network& network, const at::Tensor& x,
               const Options& options = {}) {
  return method(name).run(*models::as_classifier(network), x, all_of(0, x.size(0)), options);
}
void expect_values(const at::Tensor& values, const at::Tensor& expected) {
  const double size = expected.abs().max().item<double>();
  EXPECT_TRUE(at::allclose(values.flatten(), expected.flatten(), 0, 1e-5 * size)) << values << expected;
}

TEST(Relevance, ExactCases) {
  const at::Tensor x = row({1, 2, 3});
  const Attribution of_s = by("lrp_epsilon", network_s(2), x);
  expect_values(of_s.values, at::tensor({18.0F, 36.0F, 54.0F}));
  EXPECT_NEAR(of_s.completeness_error.item<double>(), 0, 1e-4);
  EXPECT_NEAR(of_s.scores.item<double>(), 108, 1e-4);
  // Where all weights of a layer and its inputs are above 0, alpha 1 beta 0 is z+ and epsilon.
  expect_values(by("lrp_epsilon_plus", network_s(-2), x).values, at::tensor({12.0F, 33.6F, 50.4F}));
  const nn::Network tanh = two_layers(at::full({3, 3}, 0.1F), at::full({1, 3}, 0.1F), nn::Tanh{});
  expect_values(by("lrp_epsilon", tanh, x).values, 0.1 * std::tanh(0.6) * at::tensor({0.5F, 1.0F, 1.5F}));
  expect_values(by("lrp_epsilon", network_c(), image_c()).values,
                at::tensor({0, 1, 2, 3, 0, 5, 6, 7, 0, 9, 10, 11, 0, 0, 0, 0}, at::kFloat));
}

TEST(Relevance, ExactCasesOfExcitation) {
  const Attribution excited = by("excitation_backprop", network_s(-2), row({1, 2, 3}));
  expect_values(excited.values, at::tensor({0.125F, 0.35F, 0.525F}));
  EXPECT_NEAR(excited.completeness_error.item<double>(), 0, 1e-6);

  const nn::Network contrast = two_layers(at::tensor({1.0F, 1.0F, 1.0F, 0.0F}).view({2, 2}),
                                          at::tensor({2.0F, -1.0F, -1.0F, 2.0F}).view({2, 2}));
  const at::Tensor x = row({1, 2}), third = at::tensor({1.0F / 3, 2.0F / 3});
  expect_values(by("excitation_backprop", contrast, x).values, third);
  const Attribution difference =
      excitation_difference({*models::as_classifier(contrast), x, all_of(0, 1)}, {});
  expect_values(difference.values, at::tensor({-2.0F / 3, 2.0F / 3}));
  expect_values(by("contrastive_excitation_backprop", contrast, x).values, at::tensor({0.0F, 2.0F / 3}));
}

TEST(Relevance, ExactCasesOfGuidedGradients) {
  expect_values(by("guided_backprop", network_c(), image_c()).values,
                at::tensor({0, 1, 1, 1, 1, 3, 3, 2, 1, 3, 3, 2, 1, 2, 2, 1}, at::kFloat));
  expect_values(by("deconvnet", network_c(), image_c()).values,
                at::tensor({2, 3, 3, 1, 3, 5, 5, 2, 3, 5, 5, 2, 1, 2, 2, 1}, at::kFloat));
}

/// Of the probability the walk starts with p (1 - p) at the target, and with what the other logits take.
TEST(Relevance, GuidedGradientsOfALinearModelAreItsGradients) {
  nn::Network network("linear", {1, 1, 4});
  network.add("flatten", nn::Flatten{});
  network.add("fc", nn::Linear{3});
  network = initialised(std::move(network));
  const auto classifier = models::as_classifier(network);
  const at::Tensor x = random_images(3, {1, 1, 4}), target = at::tensor({0, 1, 2}, at::kLong);
  for (const Score score : {Score::logit, Score::probability}) {
    Options options;
    options.score = score;
    const at::Tensor gradient = method("gradient").run(*classifier, x, target, options).values;
    for (const char* name : {"guided_backprop", "deconvnet"})
      EXPECT_TRUE(
          at::allclose(method(name).run(*classifier, x, target, options).values, gradient, 1e-4, 1e-6));
  }
}

/// LRP epsilon with a small epsilon is input x gradient in networks of ReLUs, biases or not (Ancona et al. 2018, proposition 1).
TEST(Relevance, EpsilonIsInputTimesGradientInNetworksOfRelus) {
  nn::Network biased = initialised(models::base_cnn({.image = {3, 8, 8}, .classes = 3, .width = 4}));
  Generator generator = make_generator(2, "biases");
  const at::NoGradGuard no_grad;
  for (const nn::NamedTensor& each : biased.parameters())
    if (each.name.ends_with("bias")) at::Tensor(each.tensor).uniform_(-0.2, 0.2, generator);
  const at::Tensor x = random_images(4, {3, 8, 8});
  for (const Score score : {Score::logit, Score::probability}) {
    Options options;
    options.score = score;
    options.of<Lrp>().epsilon = 1e-9;
    const at::Tensor expected = by("input_times_gradient", biased, x, options).values;
    const at::Tensor found = by("lrp_epsilon", biased, x, options).values;
    EXPECT_LT((found - expected).norm().item<double>(), 1e-4 * expected.norm().item<double>());
  }
}

/// A small ResNet whose batch norms have statistics, shifts and signs of their own.
nn::Network normalised_network() {
  nn::Network network = initialised(models::small_resnet({.image = {1, 8, 8}, .classes = 2, .width = 4}));
  Generator generator = make_generator(9, "statistics");
  const at::NoGradGuard no_grad;
  for (const nn::NamedTensor& each : network.state()) {
    at::Tensor tensor = each.tensor;
    if (each.name.ends_with("running_mean")) tensor.uniform_(-0.3, 0.3, generator);
    if (each.name.ends_with("running_var")) tensor.uniform_(0.5, 2, generator);
    if (each.name.ends_with("norm.bias")) tensor.uniform_(-0.2, 0.2, generator);
    if (each.name.ends_with("norm.weight")) tensor.uniform_(-1.5, 1.5, generator);
  }
  return network;
}

TEST(Relevance, BatchNormsAreMergedFirst) {
  const nn::Network network = normalised_network(), merged = network.with_merged_norms();
  const at::Tensor x = random_images(3, {1, 8, 8}), target = all_of(0, 3);
  Options options;
  options.of<Lrp>().epsilon = 1e-9;
  const at::Tensor slopes = by("input_times_gradient", network, x).values;
  const at::Tensor epsilon = by("lrp_epsilon", network, x, options).values;
  EXPECT_LT((epsilon - slopes).norm().item<double>(), 1e-3 * slopes.norm().item<double>());
  for (const char* name : {"lrp_epsilon_plus", "excitation_backprop"}) {
    const at::Tensor found = by(name, network, x).values, expected = by(name, merged, x).values;
    EXPECT_LT((found - expected).norm().item<double>(), 1e-4 * expected.norm().item<double>()) << name;
  }
  // As they stand, norms pass relevance on, and a convolution does not know that its output changes its sign behind it.
  const std::vector<at::Tensor> activations = network.activations(x);
  const nn::LayerId output = network.outputs().front();
  const at::Tensor start = at::zeros_like(activations[output]).scatter(1, target.unsqueeze(1), 1);
  const at::Tensor unmerged = network.walk_back(activations, {output, start}, nn::rule("excitation")).input();
  const at::Tensor found = by("excitation_backprop", network, x).values;
  EXPECT_GT((found - unmerged).norm().item<double>(), 0.01 * found.norm().item<double>());
}

TEST(Relevance, CompositesKnowThePlaceOfALayer) {
  const nn::Network network = models::small_resnet({.image = {1, 8, 8}, .classes = 2, .width = 4});
  const nn::Rules rules = rules_of(kEpsilonGammaBox, network, {});
  const auto rule_of = [&](const char* layer) {
    return std::string(rules.of(network.layers()[network.find(layer)]).name);
  };
  EXPECT_EQ(rule_of("conv"), "z_box");
  EXPECT_EQ(rule_of("block1_conv1"), "gamma");
  EXPECT_EQ(rule_of("block3_conv2"), "gamma");
  EXPECT_EQ(rule_of("block1_sum"), "epsilon");
  EXPECT_EQ(rule_of("fc"), "epsilon");
}

/// Without biases nothing is lost: in a walk of excitation 1 arrives, in a relevance of epsilon and gamma f does.
TEST(Relevance, KeepsWhatItStartsWith) {
  const nn::Network network = initialised(models::base_cnn({.image = {1, 8, 8}, .classes = 3, .width = 8}));
  const at::Tensor x = random_images(4, {1, 8, 8}) + 0.1;
  for (const char* name : {"lrp_epsilon", "lrp_gamma"}) {
    const Attribution found = by(name, network, x);
    EXPECT_LT((found.completeness_error / found.scores).abs().max().item<double>(), 2e-2) << name;
  }
  const Attribution excited = by("excitation_backprop", network, x);
  EXPECT_GE(excited.values.min().item<float>(), 0);
  EXPECT_LE(excited.values.sum({1, 2, 3}).max().item<double>(), 1 + 1e-5);
}

/// Two cells of an image with a class each, which share no weights: relevance of one class must stay in its cell.
TEST(Relevance, StaysInTheCellThatIsConnected) {
  nn::Network network("cells", {2, 1, 4});  // channel 0 is one cell, channel 1 the other
  network.add("flatten", nn::Flatten{});
  network.add("fc", nn::Linear{2, false});
  at::Tensor weight = at::rand({2, 8}, make_generator(6, "cells"));
  weight.narrow(0, 0, 1).narrow(1, 4, 4).zero_();
  weight.narrow(0, 1, 1).narrow(1, 0, 4).zero_();
  set(network, "fc.weight", weight);
  const at::Tensor x = random_images(3, {2, 1, 4});
  for (const Method& each : methods()) {
    if (each.needs != Needs::layers || each.name == "grad_cam" || each.name == "lrp_epsilon_plus_flat")
      continue;
    const at::Tensor values = by(std::string(each.name), network, x).values;
    EXPECT_LE(values.select(1, 1).abs().max().item<float>(), 1e-6) << each.name;
    EXPECT_GT(values.select(1, 0).abs().max().item<float>(), 1e-3) << each.name;
  }
}

/// A channel's weight is what raising the whole channel does to f, here by finite differences; a path leads around the layer.
TEST(GradCam, WeighsChannelsByWhatRaisingThemDoes) {
  nn::Network network = initialised(models::small_resnet({.image = {1, 8, 8}, .classes = 2, .width = 4}));
  const std::string layer = "block2_conv2";
  const nn::LayerId id = network.find(layer);
  const at::Tensor x = random_images(2, {1, 8, 8});
  const auto raised = [&](std::int64_t channel, double by_much) {
    const auto raise = [&](const at::Tensor& output) {
      at::Tensor changed = output.clone();
      changed.select(1, channel) += by_much;
      return changed;
    };
    return network.intervene(x, {{id, raise}}).select(1, 0).to(at::kDouble);
  };
  const at::Tensor activation = network.activations(x, {id}).front();
  at::Tensor expected = at::zeros({2, 8, 8}, at::kDouble);
  for (std::int64_t channel = 0; channel < 4; ++channel) {
    const at::Tensor weight = (raised(channel, 2e-3) - raised(channel, -2e-3)) / 4e-3 / 64;
    expected += weight.view({2, 1, 1}) * activation.select(1, channel);
  }
  Options options;
  options.of<GradCam>().layer = layer;
  const at::Tensor found = by("grad_cam", network, x, options).values.squeeze(1).to(at::kDouble);
  EXPECT_LT((found - expected.relu()).abs().max().item<double>(), 0.02 * expected.abs().max().item<double>());
}

TEST(GradCam, SaysWhichLayersItTakes) {
  const at::Tensor x = image_c();
  const auto ask = [&](const std::string& layer) {
    Options options;
    options.of<GradCam>().layer = layer;
    return by("grad_cam", network_c(), x, options).values;
  };
  EXPECT_TRUE(at::equal(ask(""), ask("relu1")));
  EXPECT_FALSE(at::allclose(ask(""), ask("conv1")));
  const nn::Network resnet =
      initialised(models::small_resnet({.image = {1, 8, 8}, .classes = 2, .width = 4}));
  const auto of_resnet = [&](const std::string& layer) {
    Options options;
    options.of<GradCam>().layer = layer;
    return by("grad_cam", resnet, random_images(2, {1, 8, 8}), options).values;
  };
  EXPECT_TRUE(at::equal(of_resnet(""), of_resnet("block3_relu")));
  test::expect_error([&] { ask("conv2"); }, {"no layer \"conv2\"", "conv1"}, ExitCode::usage);
  test::expect_error([&] { ask("fc1"); }, {"height and width", "fc1"}, ExitCode::usage);
  test::expect_error(
      [&] {
        by("grad_cam", network_s(2), row({1, 2, 3}));
      },
      {"no convolution"}, ExitCode::usage);
}

TEST(Relevance, NamesTheOperationThatHasNoRule) {
  nn::Network network("ends", {1, 1, 3});
  network.add("flatten", nn::Flatten{});
  network.add("fc", nn::Linear{2});
  network.add("last", nn::LogSoftmax{});
  test::expect_error([&] { by("lrp_epsilon", network, row({1, 2, 3})); }, {"last", "LogSoftmax"});
}

}  // namespace
}  // namespace whence::attribution
