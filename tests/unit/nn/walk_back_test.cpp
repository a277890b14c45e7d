// Relevance that was worked out by hand or published with other tools' tests.
#include "whence/nn/graph/walk_back.h"

#include "support/errors.h"
#include "unit/nn/network_support.h"

namespace whence::nn {
namespace {

using test::error_of;
using test::usage_error_of;
using test_support::largest_difference;

Tensor row(std::initializer_list<double> values) {
  return at::tensor(at::ArrayRef<double>(values), at::kDouble).unsqueeze(0);
}

void fill(const Network& network, std::string_view layer, const Tensor& weight, const Tensor& bias = {}) {
  const NamedTensors& parameters = network.layers()[network.find(layer)].parameters;
  parameters[0].tensor.set_data(weight.to(at::kDouble));
  if (bias.defined()) parameters[1].tensor.set_data(bias.to(at::kDouble));
}

/// 3 -> 3 -> 1 without biases, `activation` in between.
Network two_layers(Op activation, double first, double second) {
  Network network("S", {3});
  network.add("fc1", Linear{3, false});
  network.add("activation", std::move(activation));
  network.add("fc2", Linear{1, false});
  fill(network, "fc1", at::full({3, 3}, first, at::kDouble));
  fill(network, "fc2", at::full({1, 3}, second, at::kDouble));
  return network;
}

Network with_one_negative_weight() {
  Network network = two_layers(Relu{}, 2, 3);
  network.layers()[1].parameters[0].tensor[0][0] = -2;
  return network;
}

/// Convolution 1 -> 2 of ones, ReLU, a linear row, ReLU.
Network small_convolution() {
  Network network("C", {1, 4, 4});
  network.add("conv1", Conv2d{2, 3});
  network.add("relu1", Relu{});
  network.add("flatten", Flatten{});
  network.add("fc", Linear{1, false});
  network.add("relu2", Relu{});
  fill(network, "conv1", at::ones({2, 1, 3, 3}), at::tensor({-50., -75.}));
  fill(network, "fc", at::cat({at::ones({1, 5}), -at::ones({1, 3})}, 1));
  return network;
}
Tensor image() { return at::arange(16, at::kDouble).view({1, 1, 4, 4}); }

/// From the output, whose relevance is its value.
Tensor relevance_of_input(const Network& network, const Tensor& x, const Rules& rules) {
  const std::vector<Tensor> activations = network.activations(x);
  const LayerId last = network.outputs().front();
  return network.walk_back(activations, {last, activations[last]}, rules).input();
}
/// From the output, whose relevance is 1.
Tensor signal_at_input(const Network& network, const Tensor& x, const Rules& rules) {
  const std::vector<Tensor> activations = network.activations(x);
  const LayerId last = network.outputs().front();
  return network.walk_back(activations, {last, at::ones_like(activations[last])}, rules).input();
}

void expect_near(const Tensor& found, const Tensor& expected, double tolerance = 1e-9) {
  EXPECT_LT(largest_difference(found, expected), tolerance) << found;
}

TEST(WalkBack, EpsilonOfTwoLayers) {
  const Rule epsilon = rule("epsilon", {{"epsilon", 1e-12}});
  expect_near(relevance_of_input(two_layers(Relu{}, 2, 3), row({1, 2, 3}), epsilon), row({18, 36, 54}));
}

TEST(WalkBack, AlphaBetaOfANegativeWeight) {
  expect_near(relevance_of_input(with_one_negative_weight(), row({1, 2, 3}),
                                 rule("alpha_beta", {{"alpha", 1}, {"beta", 0}})),
              row({12, 33.6, 50.4}));
}

TEST(WalkBack, PassesTanhAsItIs) {
  const Network network = two_layers(Tanh{}, 0.1, 0.1);
  const Tensor expected = 0.3 * std::tanh(0.6) * row({1, 2, 3}) / 6;
  const Tensor found = relevance_of_input(network, row({1, 2, 3}), rule("epsilon", {{"epsilon", 1e-12}}));
  expect_near(found, expected);
  expect_near(found, row({.0269, .0537, .0806}), 6e-5);
}

TEST(WalkBack, EpsilonOfAConvolution) {
  const Tensor expected =
      at::tensor({0., 1., 2., 3., 0., 5., 6., 7., 0., 9., 10., 11., 0., 0., 0., 0.}, at::kDouble)
          .view({1, 1, 4, 4});
  expect_near(relevance_of_input(small_convolution(), image(), rule("epsilon", {{"epsilon", 1e-12}})),
              expected);
}

TEST(WalkBack, GuidedBackpropagationOfAConvolution) {
  const Tensor expected =
      at::tensor({0., 1., 1., 1., 1., 3., 3., 2., 1., 3., 3., 2., 1., 2., 2., 1.}, at::kDouble)
          .view({1, 1, 4, 4});
  expect_near(signal_at_input(small_convolution(), image(), rule("guided")), expected);
}

TEST(WalkBack, DeconvnetOfAConvolution) {
  const Tensor expected =
      at::tensor({2., 3., 3., 1., 3., 5., 5., 2., 3., 5., 5., 2., 1., 2., 2., 1.}, at::kDouble)
          .view({1, 1, 4, 4});
  expect_near(signal_at_input(small_convolution(), image(), rule("deconvnet")), expected);
}

TEST(WalkBack, EveryRuleOfOneLayer) {
  Network network("W", {2});
  network.add("fc", Linear{2, false});
  fill(network, "fc", at::tensor({3., -1., 1., 2.}).view({2, 2}));
  const std::vector<Tensor> activations = network.activations(row({1, 2}));
  const auto found = [&](const Rules& rules) {
    return network.walk_back(activations, {1, row({1, 5})}, rules).input();
  };
  expect_near(found(rule("epsilon", {{"epsilon", 1}})), row({7. / 3, 7. / 3}));
  expect_near(found(rule("gamma", {{"gamma", 0.25}})), row({22. / 7, 20. / 7}));
  expect_near(found(rule("z_plus")), row({2, 4}));
  expect_near(found(rule("z_box", {{"low", -3}, {"high", 3}})), row({214. / 91, 332. / 91}));
  expect_near(found(rule("w_square")), row({1.9, 4.1}));
  expect_near(found(rule("flat")), row({3, 3}));
  expect_near(found(rule("alpha_beta", {{"alpha", 2}, {"beta", 1}})), row({4, 7}));
  expect_near(found(rule("gradient")), row({3 + 5, -1 + 10}));
  expect_near(found(rule("pass")), row({1, 5}));
}

TEST(WalkBack, AlphaBetaOfTermsOfBothSigns) {
  Network network("n", {2});
  network.add("fc", Linear{1, false});
  fill(network, "fc", row({-1, 1}));
  expect_near(signal_at_input(network, row({2, 4}), rule("alpha_beta")), row({-1, 2}));
}

TEST(WalkBack, ExcitationIsAChance) {
  expect_near(signal_at_input(with_one_negative_weight(), row({1, 2, 3}), rule("excitation")),
              row({.125, .35, .525}));
}

TEST(WalkBack, ContrastiveExcitationTurnsTheSignsOfOneLayer) {
  Network network("n", {2});
  network.add("fc1", Linear{2, false});
  network.add("relu", Relu{});
  network.add("fc2", Linear{2, false});
  fill(network, "fc1", at::tensor({1., 1., 1., 0.}).view({2, 2}));
  fill(network, "fc2", at::tensor({2., -1., -1., 2.}).view({2, 2}));
  const std::vector<Tensor> activations = network.activations(row({1, 2}));
  const Start start{network.find("fc2"), row({1, 0})};
  const Tensor excitation = network.walk_back(activations, start, rule("excitation")).input();
  expect_near(excitation, row({1. / 3, 2. / 3}));
  const Rules contrastive = Rules(rule("excitation")).layer("fc2", rule("inhibition"));
  expect_near(excitation - network.walk_back(activations, start, contrastive).input(),
              row({-2. / 3, 2. / 3}));
}

TEST(WalkBack, StartsAtAnyLayerAndKeepsEveryLayersRelevance) {
  const Network network = two_layers(Relu{}, 2, 3);
  const std::vector<Tensor> activations = network.activations(row({1, 2, 3}));
  const Relevance whole = network.walk_back(activations, {3, activations[3]}, rule("epsilon"));
  ASSERT_EQ(whole.layers.size(), 4U);
  expect_near(whole.layers[2], row({36, 36, 36}), 1e-5);
  const Relevance half = network.walk_back(activations, {2, whole.layers[2]}, rule("epsilon"));
  EXPECT_TRUE(half.input().equal(whole.input()));
  EXPECT_FALSE(half.layers[3].defined());
}

TEST(WalkBack, AddsWhatSeveralReadersGiveAndSplitsAConcatenation) {
  Network network("n", {2, 1, 1});
  network.add("left", Conv2d{1, 1, 1, 0, false});
  network.add("right", Conv2d{2, 1, 1, 0, false}, {"input"});
  network.add("all", Concat{}, {"right", "left", "input"});
  fill(network, "left", at::tensor({1., 3.}).view({1, 2, 1, 1}));
  fill(network, "right", at::tensor({2., 0., 0., 4.}).view({2, 2, 1, 1}));
  const std::vector<Tensor> activations = network.activations(at::ones({1, 2, 1, 1}, at::kDouble));
  const Tensor start = row({1, 10, 100, 1000, 10000}).view({1, 5, 1, 1});
  const Relevance relevance = network.walk_back(activations, {3, start}, rule("z_plus"));
  expect_near(relevance.input().flatten(1), row({1000 + 1 + 25, 10000 + 10 + 75}));
}

TEST(WalkBack, RulesOfLayersComeBeforeThoseOfOperations) {
  const Rules rules = Rules(rule("epsilon"))
                          .operation("Linear", rule("z_plus"))
                          .operation("Relu", rule("guided"))
                          .layer("fc2", rule("flat"));
  const Network network = two_layers(Relu{}, 2, 3);
  EXPECT_EQ(rules.of(network.layers()[1]).name, "z_plus");
  EXPECT_EQ(rules.of(network.layers()[2]).name, "guided");
  EXPECT_EQ(rules.of(network.layers()[3]).name, "flat");
}

TEST(WalkBack, ErrorsSayWhatToDo) {
  Network network = two_layers(Relu{}, 2, 3);
  network.add("probabilities", Softmax{});
  test_support::to_float64(network);
  const std::vector<Tensor> activations = network.activations(row({1, 2, 3}));
  EXPECT_EQ(error_of([&] {
              network.walk_back(activations, {4, row({1})}, rule("z_plus"));
            }),
            "network \"S\", layer \"probabilities\" (Softmax): no rule shares relevance out here; start at "
            "the logits, the "
            "layer before it");
  EXPECT_EQ(error_of([&] {
              network.walk_back(activations, {3, row({1, 2})}, rule("z_plus"));
            }),
            "network \"S\", layer \"fc2\": the relevance to start from must have the shape 1x1, not 1x2");
  EXPECT_EQ(error_of([&] {
              network.walk_back(activations, {3, row({1})}, rule("pass"));
            }),
            "network \"S\", layer \"fc2\" (Linear): relevance passes unchanged only where input and output "
            "have the same "
            "number of values");
  EXPECT_EQ(error_of([&] {
              network.walk_back(activations, {3, row({1})}, Rules(rule("flat")).layer("fc3", rule("pass")));
            }),
            "network \"S\": there is no layer \"fc3\" (did you mean 'fc1'?)");
  EXPECT_EQ(usage_error_of([] { rule("epsilom"); }).substr(0, 58),
            "there is no rule 'epsilom' (did you mean 'epsilon'?); the ");
  EXPECT_EQ(usage_error_of([] {
              rule("gamma", {{"gama", 1}});
            }),
            "rule 'gamma' has no parameter 'gama' (did you mean 'gamma'?)");
  EXPECT_EQ(usage_error_of([] {
              rule("alpha_beta", {{"alpha", 3}});
            }),
            "rule 'alpha_beta': beta must be 0 or more and alpha = 1 + beta, so that relevance is kept");
  EXPECT_EQ(usage_error_of([] { Rules(rule("pass")).operation("Conv2D", rule("pass")); }),
            "there is no operation 'Conv2D' (did you mean 'Conv2d'?)");
}

}  // namespace
}  // namespace whence::nn
