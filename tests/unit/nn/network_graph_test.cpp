// Graphs with branches: activations, running from any layer to any layer, several outputs.
#include "support/errors.h"
#include "unit/nn/network_support.h"

namespace whence::nn {
namespace {

using test::error_of;
using test_support::largest_difference;

class Graph : public ::testing::Test {
 protected:
  Graph() {
    network.add("stem", Conv2d{4, 3, 1, 1});
    network.add("left", Conv2d{4, 1}, {"stem"});
    network.add("right", Conv2d{4, 3, 1, 1}, {"stem"});
    network.add("sum", Add{}, {"stem", "left", "right"});
    network.add("all", Concat{}, {"sum", "left"});
    network.add("pool", GlobalAvgPool2d{});
    network.add("flatten", Flatten{});
    network.add("logits", Linear{3});
    network.add("side", Flatten{}, {"right"});
    network.set_outputs({"logits", "side"});
    test_support::randomise(network, generator);
    test_support::to_float64(network);
    x = test_support::randn64({2, 2, 5, 6}, generator);
  }

  Tensor weight(const std::string& layer) const {
    return network.layers()[network.find(layer)].parameters[0].tensor;
  }
  Tensor bias(const std::string& layer) const {
    return network.layers()[network.find(layer)].parameters[1].tensor;
  }

  Generator generator = make_generator(4, "test");
  Network network{"graph", {2, 5, 6}};
  Tensor x;
};

TEST_F(Graph, ComputesWhatIsWrittenByHand) {
  const Tensor stem = at::conv2d(x, weight("stem"), bias("stem"), 1, 1);
  const Tensor left = at::conv2d(stem, weight("left"), bias("left"));
  const Tensor right = at::conv2d(stem, weight("right"), bias("right"), 1, 1);
  const Tensor features = at::cat({stem + left + right, left}, 1).mean({2, 3});
  const Tensor logits = at::matmul(features, weight("logits").t()) + bias("logits");

  const std::vector<Tensor> outputs = network.forward_all(x);
  ASSERT_EQ(outputs.size(), 2U);
  EXPECT_EQ(outputs[0].scalar_type(), at::kDouble);
  EXPECT_LT(largest_difference(outputs[0], logits), 1e-12);
  EXPECT_LT(largest_difference(outputs[1], right.flatten(1)), 1e-12);
  EXPECT_LT(largest_difference(network.forward(x), logits), 1e-12);

  const auto activations = network.activations(x, {network.find("left"), network.find("stem"), 0});
  EXPECT_LT(largest_difference(activations[0], left), 1e-12);
  EXPECT_LT(largest_difference(activations[1], stem), 1e-12);
  EXPECT_TRUE(activations[2].equal(x));
}

TEST_F(Graph, RunsFromEveryLayerThatSeparates) {
  const Tensor logits = network.forward(x);
  for (const char* from : {"input", "stem", "all", "pool", "flatten", "logits"}) {
    const Tensor value = network.activations(x, {network.find(from)}).front();
    EXPECT_TRUE(network.run(network.find(from), network.find("logits"), value).equal(logits)) << from;
  }
  const Tensor right = network.activations(x, {network.find("right")}).front();
  EXPECT_TRUE(
      network.run(network.find("right"), network.find("side"), right).equal(network.forward_all(x)[1]));
}

TEST_F(Graph, AnInterventionChangesWhatComesAfterIt) {
  const LayerId stem = network.find("stem"), logits = network.find("logits");
  Tensor value = network.activations(x, {stem}).front().clone();
  value.select(1, 2).zero_();
  EXPECT_GT(largest_difference(network.run(stem, logits, value), network.forward(x)), 1e-3);
}

TEST_F(Graph, RefusesToRunFromALayerThatDoesNotSeparate) {
  EXPECT_EQ(error_of([&] {
              network.run(network.find("sum"), network.find("logits"), at::zeros({1, 4, 5, 6}));
            }),
            "network \"graph\": layer \"logits\" cannot be computed from layer \"sum\" alone, because it "
            "also depends "
            "on layer \"left\"");
  EXPECT_EQ(
      error_of([&] {
        network.run(network.find("logits"), network.find("side"), at::zeros({1, 3}));
      }),
      "network \"graph\": layer \"side\" cannot be computed from layer \"logits\" alone, because it does not "
      "depend on it");
  EXPECT_EQ(error_of([&] {
              network.run(network.find("stem"), network.find("logits"), at::zeros({1, 4, 5, 5}));
            }),
            "network \"graph\", layer \"stem\": expects a batch of 4x5x6, not a tensor of shape 1x4x5x5");
}

TEST_F(Graph, BuildsNoAutogradGraphUnlessSomethingRequiresIt) {
  EXPECT_FALSE(network.forward(x).requires_grad());
  EXPECT_TRUE(network.forward(x.clone().set_requires_grad(true)).requires_grad());
  network.require_gradients(true);
  EXPECT_TRUE(network.forward(x).requires_grad());
}

TEST(NetworkGraph, TheLastLayerIsTheOutputUnlessNamed) {
  Network network("n", {4});
  EXPECT_EQ(network.outputs(), std::vector<LayerId>{0});
  network.add("a", Relu{});
  EXPECT_EQ(network.outputs(), std::vector<LayerId>{1});
  network.set_outputs({"a"});
  network.add("b", Linear{2});
  EXPECT_EQ(network.outputs(), std::vector<LayerId>{1});
  EXPECT_EQ(network.output_shape(), Shape{4});
}

}  // namespace
}  // namespace whence::nn
