// How layers run: batch statistics, dropout, memory layout, bfloat16.
#include <torch/csrc/autograd/autograd.h>

#include "unit/nn/network_support.h"
#include "whence/platform/machine.h"

namespace whence::nn {
namespace {

using test_support::largest_difference;

TEST(BatchNorm, TrainingNormalisesByTheBatchAndUpdatesRunningStatistics) {
  Generator generator = make_generator(13, "test");
  Network network("n", {2, 3, 3});
  network.add("norm", BatchNorm2d{.epsilon = 0.01, .momentum = 0.25});
  test_support::randomise(network, generator);
  test_support::to_float64(network);
  const Layer& layer = network.layers()[1];
  const Tensor x = test_support::randn64({4, 2, 3, 3}, generator).add_(3);
  const Tensor mean = layer.buffers[0].tensor.clone(), variance = layer.buffers[1].tensor.clone();

  const double count = 4 * 3 * 3;
  const Tensor batch_mean = x.sum({0, 2, 3}) / count;
  const Tensor squares = (x - batch_mean.view({1, 2, 1, 1})).square().sum({0, 2, 3});
  const auto normalised = [&](const Tensor& m, const Tensor& v) {
    return (x - m.view({1, 2, 1, 1})) / (v.view({1, 2, 1, 1}) + 0.01).sqrt() *
               layer.parameters[0].tensor.view({1, 2, 1, 1}) +
           layer.parameters[1].tensor.view({1, 2, 1, 1});
  };
  EXPECT_LT(largest_difference(network.forward(x), normalised(mean, variance)), 1e-12);
  EXPECT_TRUE(layer.buffers[0].tensor.equal(mean)) << "evaluation changes nothing";
  EXPECT_LT(
      largest_difference(network.forward(x, {.training = true}), normalised(batch_mean, squares / count)),
      1e-12);
  EXPECT_LT(largest_difference(layer.buffers[0].tensor, 0.75 * mean + 0.25 * batch_mean), 1e-12);
  EXPECT_LT(largest_difference(layer.buffers[1].tensor, 0.75 * variance + 0.25 * squares / (count - 1)),
            1e-12);
}

TEST(Dropout, DropsTheGivenShareAndKeepsTheMean) {
  Network network("n", {1000});
  network.add("drop", Dropout{0.25});
  Generator stream = make_generator(14, "dropout"), again = make_generator(14, "dropout");
  const Tensor x = at::ones({100, 1000});
  const Tensor y = network.forward(x, {.training = true, .dropout = &stream});
  const double share = y.eq(0).to(at::kDouble).mean().item<double>();
  EXPECT_NEAR(share, 0.25, 0.01);
  EXPECT_LT(y.sub(1 / 0.75).abs().mul(y.ne(0)).max().item<double>(), 1e-6);
  EXPECT_TRUE(network.forward(x, {.training = true, .dropout = &again}).equal(y));
  EXPECT_FALSE(network.forward(x, {.training = true, .dropout = &again}).equal(y));
  EXPECT_TRUE(network.forward(x).equal(x));
  EXPECT_THROW(network.forward(x, {.training = true}), c10::Error);
}

TEST(Dropout, ChannelsAreDroppedWhole) {
  Network network("n", {50, 3, 3});
  network.add("drop", Dropout2d{0.5});
  Generator stream = make_generator(15, "dropout");
  const Tensor y = network.forward(at::ones({40, 50, 3, 3}), {.training = true, .dropout = &stream});
  const Tensor channels = y.sum({2, 3});
  EXPECT_TRUE(channels.eq(0).logical_or(channels.eq(18)).all().item<bool>());
  EXPECT_NEAR(channels.eq(0).to(at::kDouble).mean().item<double>(), 0.5, 0.05);
}

TEST(Dropout, TheExtremesDropNothingAndEverything) {
  Network none("n", {9}), all("n", {9});
  none.add("drop", Dropout{0});
  all.add("drop", Dropout{1});
  Generator stream = make_generator(16, "dropout");
  EXPECT_TRUE(none.forward(at::ones({3, 9}), {.training = true, .dropout = &stream}).equal(at::ones({3, 9})));
  EXPECT_TRUE(all.forward(at::ones({3, 9}), {.training = true, .dropout = &stream}).equal(at::zeros({3, 9})));
}

/// A classifier and a generator in one: every kind of heavy layer, a branch, a light end.
Network mixed_network() {
  Network network("mixed", {1, 12, 12});
  network.add("conv1", Conv2d{16, 3, 1, 1});
  network.add("norm", BatchNorm2d{});
  network.add("relu1", Relu{});
  network.add("pool", MaxPool2d{2, 2});
  network.add("conv2", Conv2d{16, 3, 1, 1});
  network.add("sum", Add{}, {"pool", "conv2"});
  network.add("up", ConvTranspose2d{8, 4, 2, 1});
  network.add("image", Sigmoid{});
  network.add("flatten", Flatten{}, {"sum"});
  network.add("hidden", Linear{32});
  network.add("relu2", Relu{});
  network.add("logits", Linear{3});
  network.set_outputs({"logits", "image"});
  Generator generator = make_generator(17, "test");
  initialise(network, {}, generator);
  return network;
}

TEST(Execution, ConvolutionsRunChannelsLast) {
  const Network network = mixed_network();
  for (const char* layer : {"conv1", "relu1", "pool", "sum", "up"}) {
    const Tensor y = network.activations(at::rand({4, 1, 12, 12}), {network.find(layer)}).front();
    EXPECT_EQ(y.suggest_memory_format(), at::MemoryFormat::ChannelsLast) << layer;
  }
}

class Bfloat16 : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!describe_machine().bfloat16) GTEST_SKIP() << "this processor has no bfloat16";
    network.require_gradients(true);
  }

  /// Root of the summed squares of a - b, relative to b's.
  static double relative(const Tensor& a, const Tensor& b) {
    return ((a - b).norm() / b.norm()).to(at::kDouble).item<double>();
  }

  std::vector<Tensor> gradients(const Execution& execution) {
    std::vector<Tensor> variables = {x};
    for (const NamedTensor& parameter : network.parameters()) variables.push_back(parameter.tensor);
    const std::vector<Tensor> outputs = network.forward_all(x, execution);
    return torch::autograd::grad({outputs[0].square().sum() + outputs[1].square().sum()}, variables);
  }

  Generator generator = make_generator(18, "test");
  Network network = mixed_network();
  Tensor x = at::rand({16, 1, 12, 12}, generator).set_requires_grad(true);
};

TEST_F(Bfloat16, IsCloseToFloat32AndReturnsFloat32) {
  const std::vector<Tensor> exact = network.forward_all(x);
  const std::vector<Tensor> narrow = network.forward_all(x, {.precision = Precision::bfloat16});
  for (std::size_t i = 0; i < exact.size(); ++i) {
    EXPECT_EQ(narrow[i].scalar_type(), at::kFloat);
    EXPECT_LT(relative(narrow[i], exact[i]), 0.02) << i;
    EXPECT_GT(relative(narrow[i], exact[i]), 0) << "nothing ran in bfloat16";
  }
}

TEST_F(Bfloat16, GradientsAreFloat32AndClose) {
  const std::vector<Tensor> exact = gradients({}), narrow = gradients({.precision = Precision::bfloat16});
  for (std::size_t i = 0; i < exact.size(); ++i) {
    EXPECT_EQ(narrow[i].scalar_type(), at::kFloat);
    // A pixel's gradient jumps where rounding moves a ReLU's sign or a maximum; a weight's averages over all
    // pixels.
    const double bound = i == 0 ? 0.2 : 0.02;
    EXPECT_LT(relative(narrow[i], exact[i]), bound) << (i == 0 ? "input" : network.parameters()[i - 1].name);
  }
}

TEST_F(Bfloat16, FrozenGivesTheSameBits) {
  const Execution execution{.precision = Precision::bfloat16};
  const Network frozen = network.frozen(Precision::bfloat16);
  const std::vector<Tensor> outputs = network.forward_all(x, execution),
                            same = frozen.forward_all(x, execution);
  for (std::size_t i = 0; i < outputs.size(); ++i) EXPECT_TRUE(outputs[i].equal(same[i])) << i;
}

TEST_F(Bfloat16, BatchStatisticsStayFloat32) {
  Network exact = network.clone();
  network.forward(x, {.precision = Precision::bfloat16, .training = true});
  exact.forward(x, {.training = true});
  for (std::size_t i = 0; i < network.state().size(); ++i) {
    EXPECT_EQ(network.state()[i].tensor.scalar_type(), at::kFloat);
    EXPECT_LT(largest_difference(network.state()[i].tensor, exact.state()[i].tensor), 2e-3)
        << network.state()[i].name;
  }
}

}  // namespace
}  // namespace whence::nn
