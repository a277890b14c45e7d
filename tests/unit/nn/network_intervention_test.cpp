// Changes of layers in the middle of a graph, against the same graph written by hand; gradients against central
// differences.
#include <torch/csrc/autograd/autograd.h>

#include "support/errors.h"
#include "unit/nn/network_support.h"

namespace whence::nn {
namespace {

using test::error_of;
using test_support::largest_difference;

/// A residual block with a dense connection and two outputs.
class Interventions : public ::testing::Test {
 protected:
  Interventions() {
    network.add("stem", Conv2d{4, 3, 1, 1});
    network.add("relu", Relu{});
    network.add("branch", Conv2d{4, 3, 1, 1});
    network.add("sum", Add{}, {"branch", "relu"});
    network.add("sum_relu", Relu{});
    network.add("pool", MaxPool2d{2, 2});
    network.add("small", AvgPool2d{2, 2}, {"stem"});
    network.add("all", Concat{}, {"pool", "small"});
    network.add("flatten", Flatten{});
    network.add("logits", Linear{3});
    network.add("side", Tanh{}, {"small"});
    network.set_outputs({"logits", "side"});
    test_support::randomise(network, generator);
    test_support::to_float64(network);
    x = test_support::randn64({2, 2, 4, 6}, generator);
    theta = test_support::randn64({4, 1, 1}, generator);
  }

  LayerId id(std::string_view layer) const { return network.find(layer); }
  Tensor weight(std::string_view layer) const { return network.layers()[id(layer)].parameters[0].tensor; }
  Tensor bias(std::string_view layer) const { return network.layers()[id(layer)].parameters[1].tensor; }

  using Change = std::function<Tensor(const Tensor&)>;
  static Tensor same(const Tensor& output) { return output; }

  /// The network, written by hand, with its layers "stem", "relu", "sum" and "pool" changed.
  std::vector<Tensor> by_hand(const Change& stem, const Change& relu, const Change& sum,
                              const Change& pool) const {
    const Tensor first = stem(at::conv2d(x, weight("stem"), bias("stem"), 1, 1));
    const Tensor positive = relu(first.clamp_min(0));
    const Tensor total = sum(at::conv2d(positive, weight("branch"), bias("branch"), 1, 1) + positive);
    const Tensor pooled = pool(at::max_pool2d(total.clamp_min(0), 2));
    const Tensor small = at::avg_pool2d(first, 2);
    const Tensor features = at::cat({pooled, small}, 1).flatten(1);
    return {at::matmul(features, weight("logits").t()) + bias("logits"), at::tanh(small)};
  }

  Generator generator = make_generator(24, "test");
  Network network{"residual", {2, 4, 6}};
  Tensor x, theta;
};

TEST_F(Interventions, ChangeEverythingDownstreamAndNothingElse) {
  const Change scaled = [&](const Tensor& output) { return output * theta; };
  const Change cut = [&](const Tensor& output) {
    return output * at::tensor({1., 0., 1., 1.}, output.options()).view({4, 1, 1});
  };
  const Change shifted = [&](const Tensor& output) { return output + theta.square(); };

  const std::vector<Tensor> one = network.intervene_all(x, {{id("relu"), cut}});
  const std::vector<Tensor> expected_one = by_hand(same, cut, same, same);
  EXPECT_LT(largest_difference(one[0], expected_one[0]), 1e-12);
  EXPECT_TRUE(one[1].equal(network.forward_all(x)[1])) << "a layer beside the change";

  const std::vector<Tensor> several = network.intervene_all(
      x, {{id("pool"), scaled}, {id("stem"), shifted}, {id("sum"), scaled}, {id("relu"), cut}});
  const std::vector<Tensor> expected = by_hand(shifted, cut, scaled, scaled);
  EXPECT_LT(largest_difference(several[0], expected[0]), 1e-12);
  EXPECT_LT(largest_difference(several[1], expected[1]), 1e-12);
  EXPECT_GT(largest_difference(several[0], one[0]), 1e-3);
}

TEST_F(Interventions, TheIdentityChangesNothing) {
  const Tensor logits = network.forward(x);
  for (LayerId layer = 0; layer < network.layers().size(); ++layer)
    EXPECT_LT(largest_difference(network.intervene(x, {{layer, same}}), logits), 1e-12) << layer;
  EXPECT_TRUE(network.intervene(x, {}).equal(logits));
}

TEST_F(Interventions, ReachTheInputAndTheOutput) {
  const Tensor other = test_support::randn64({2, 2, 4, 6}, generator);
  EXPECT_TRUE(
      network.intervene(x, {{0, [&](const Tensor&) { return other; }}}).equal(network.forward(other)));
  const Tensor doubled =
      network.intervene(x, {{id("logits"), [](const Tensor& output) { return 2 * output; }}});
  EXPECT_TRUE(doubled.equal(2 * network.forward(x)));
}

TEST_F(Interventions, HaveGradients) {
  theta.set_requires_grad(true);
  x.set_requires_grad(true);
  network.require_gradients(true);
  const Change scaled = [&](const Tensor& output) { return at::tanh(output * theta); };
  const Tensor weights = test_support::randn64({2, 3}, generator);
  const auto loss = [&] {
    return (weights * network.intervene(x, {{id("relu"), scaled}, {id("pool"), scaled}})).sum();
  };
  const std::vector<Tensor> variables = {x, theta, weight("stem"), weight("branch")};
  const std::vector<Tensor> gradients = torch::autograd::grad({loss()}, variables);
  for (std::size_t i = 0; i < variables.size(); ++i) {
    const Tensor expected =
        test_support::numeric_gradient(variables[i], [&] { return loss().item<double>(); });
    EXPECT_LT(largest_difference(gradients[i], expected), 1e-7 * (1 + expected.abs().max().item<double>()))
        << i;
    EXPECT_GT(expected.abs().max().item<double>(), 1e-3) << "a test of nothing";
  }
}

TEST_F(Interventions, ErrorsNameTheLayer) {
  EXPECT_EQ(error_of([&] {
              network.intervene(x, {{id("sum"), [](const Tensor& output) { return output.flatten(1); }}});
            }),
            "network \"residual\", layer \"sum\": the intervention returned a tensor of shape 2x96 instead "
            "of 2x4x4x6");
  EXPECT_EQ(
      error_of([&] {
        network.intervene(x, {{id("sum"), same}, {id("sum"), same}});
      }),
      "network \"residual\", layer \"sum\": two interventions name this layer; join them in one function");
}

TEST_F(Interventions, ActivationsOfAllLayersAreThoseOfEach) {
  const std::vector<Tensor> all = network.activations(x);
  ASSERT_EQ(all.size(), network.layers().size());
  for (LayerId layer = 0; layer < all.size(); ++layer)
    EXPECT_LT(largest_difference(all[layer], network.activations(x, {layer}).front()), 1e-12) << layer;
}

TEST_F(Interventions, RunsFromSeveralGivenLayers) {
  const std::vector<Tensor> all = network.activations(x);
  const auto given = [&](std::string_view layer) { return Activation{id(layer), all[id(layer)]}; };
  EXPECT_LT(largest_difference(network.forward_from({given("pool"), given("small")}), all[id("logits")]),
            1e-12);
  const std::vector<Tensor> outputs = network.forward_all_from({given("small"), given("sum")});
  EXPECT_LT(largest_difference(outputs[0], all[id("logits")]), 1e-12);
  EXPECT_LT(largest_difference(outputs[1], all[id("side")]), 1e-12);
  EXPECT_LT(largest_difference(network.forward_from({given("stem")}), all[id("logits")]), 1e-12);

  const Tensor other = test_support::randn64({2, 4, 2, 3}, generator);
  const Tensor changed = network.forward_from({{id("pool"), other}, given("small")});
  const Change replaced = [&](const Tensor&) { return other; };
  EXPECT_LT(largest_difference(changed, by_hand(same, same, same, replaced)[0]), 1e-12);
}

TEST_F(Interventions, RunsFromGivenLayersWithGradients) {
  const Tensor pool = test_support::randn64({2, 4, 2, 3}, generator).set_requires_grad(true);
  const Tensor small = test_support::randn64({2, 4, 2, 3}, generator);
  const auto loss = [&] {
    return network.forward_from({{id("pool"), pool}, {id("small"), small}}).square().sum();
  };
  const Tensor expected = test_support::numeric_gradient(pool, [&] { return loss().item<double>(); });
  EXPECT_LT(largest_difference(torch::autograd::grad({loss()}, {pool}).front(), expected),
            1e-6 * expected.abs().max().item<double>());
}

TEST_F(Interventions, RefusesGivenLayersThatDoNotCutOffTheInput) {
  const Tensor map = at::zeros({2, 4, 2, 3}, at::kDouble);
  EXPECT_EQ(error_of([&] {
              network.forward_from({{id("pool"), map}});
            }),
            "network \"residual\": layer \"logits\" cannot be computed from layer \"pool\" alone, because it "
            "also depends "
            "on layer \"small\"");
  EXPECT_EQ(
      error_of([&] {
        network.forward_all_from({{id("pool"), map}, {id("sum"), at::zeros({2, 4, 4, 6}, at::kDouble)}});
      }),
      "network \"residual\": layer \"logits\" cannot be computed from the layers \"sum\", \"pool\" alone, "
      "because it "
      "also depends on layer \"small\"");
  EXPECT_EQ(error_of([&] {
              network.forward_from({{id("pool"), map}, {id("pool"), map}});
            }),
            "network \"residual\", layer \"pool\": its output is given twice");
  EXPECT_EQ(error_of([&] {
              network.forward_from({{id("pool"), map}, {id("small"), map.narrow(0, 0, 1)}});
            }),
            "network \"residual\", layer \"small\": a batch of 1 is given, but 2 for layer \"pool\"");
  EXPECT_EQ(error_of([&] { network.forward_from({}); }),
            "network \"residual\": a run needs the output of at least one layer");
}

TEST_F(Interventions, SeeFloat32InBfloat16Networks) {
  Network narrow("narrow", {2, 4, 6});
  narrow.add("conv", Conv2d{4, 3, 1, 1});
  narrow.add("relu", Relu{});
  narrow.add("flatten", Flatten{});
  narrow.add("fc", Linear{5});
  test_support::randomise(narrow, generator);
  const Execution execution{.precision = Precision::bfloat16};
  const Tensor image = at::rand({2, 2, 4, 6}, generator);
  at::ScalarType seen = at::kDouble;
  const auto look = [&](const Tensor& output) {
    seen = output.scalar_type();
    return output;
  };
  EXPECT_TRUE(narrow.intervene(image, {{1, look}}, execution).equal(narrow.forward(image, execution)));
  EXPECT_EQ(seen, at::kFloat);
}

}  // namespace
}  // namespace whence::nn
