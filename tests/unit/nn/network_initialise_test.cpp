#include <fmt/format.h>

#include <cmath>

#include "unit/nn/network_support.h"

namespace whence::nn {
namespace {

Network wide_network() {
  Network network("net", {8, 12, 12});
  network.add("conv", Conv2d{64, 3});
  network.add("norm", BatchNorm2d{});
  network.add("transposed", ConvTranspose2d{32, 4});
  network.add("flatten", Flatten{});
  network.add("fc", Linear{16});
  return network;
}

const Tensor& tensor_of(const NamedTensors& tensors, std::string_view name) {
  for (const NamedTensor& entry : tensors) {
    if (entry.name == name) return entry.tensor;
  }
  throw std::out_of_range(std::string(name));
}

/// U(-bound, bound): within it, close to it, with deviation bound / sqrt(3).
void expect_uniform(const Tensor& tensor, double fan_in) {
  const double bound = 1 / std::sqrt(fan_in), largest = tensor.abs().max().item<double>();
  EXPECT_LE(largest, bound * (1 + 1e-6));
  EXPECT_GT(largest, 0.8 * bound);
  if (tensor.numel() < 1000) return;
  EXPECT_NEAR(tensor.std().item<double>(), bound / std::sqrt(3.0), 0.05 * bound);
  EXPECT_NEAR(tensor.mean().item<double>(), 0, 0.05 * bound);
}

TEST(Initialise, LeavesConstantsAsTheyAre) {
  Network network("net", {2, 4, 4});
  network.add("normalised", ScaleShift{});
  network.add("conv", Conv2d{4, 3});
  for (const NamedTensor& entry : network.state())
    if (entry.name.starts_with("normalised")) entry.tensor.fill_(3);
  Generator generator = make_generator(9, "test");
  initialise(network, {}, generator);
  const NamedTensors state = network.state();
  EXPECT_TRUE(tensor_of(state, "normalised.scale").eq(3).all().item<bool>());
  EXPECT_TRUE(tensor_of(state, "normalised.shift").eq(3).all().item<bool>());
  EXPECT_EQ(network.parameter_count(), 4 * 2 * 9 + 4);
}

TEST(Initialise, DefaultsArePyTorchs) {
  Network network = wide_network();
  Generator generator = make_generator(9, "test");
  initialise(network, {}, generator);
  const NamedTensors state = network.state();
  expect_uniform(tensor_of(state, "conv.weight"), 8 * 9);
  expect_uniform(tensor_of(state, "conv.bias"), 8 * 9);
  // PyTorch takes a transposed convolution's fan in from its output channels.
  expect_uniform(tensor_of(state, "transposed.weight"), 32 * 16);
  expect_uniform(tensor_of(state, "transposed.bias"), 32 * 16);
  expect_uniform(tensor_of(state, "fc.weight"), 32 * 13 * 13);
  EXPECT_TRUE(tensor_of(state, "norm.weight").eq(1).all().item<bool>());
  EXPECT_TRUE(tensor_of(state, "norm.bias").eq(0).all().item<bool>());
}

TEST(Initialise, ConvolutionsAreNormalWhenADeviationIsGiven) {
  Network network = wide_network();
  Generator generator = make_generator(10, "test");
  test_support::randomise(network, generator);
  initialise(network, {.convolution_deviation = 0.02}, generator);
  const NamedTensors state = network.state();
  for (const char* name : {"conv.weight", "transposed.weight"}) {
    EXPECT_NEAR(tensor_of(state, name).std().item<double>(), 0.02, 0.001) << name;
    EXPECT_NEAR(tensor_of(state, name).mean().item<double>(), 0, 0.001) << name;
  }
  for (const char* name : {"conv.bias", "transposed.bias", "norm.bias", "norm.running_mean"}) {
    EXPECT_TRUE(tensor_of(state, name).eq(0).all().item<bool>()) << name;
  }
  EXPECT_NEAR(tensor_of(state, "norm.weight").mean().item<double>(), 1, 0.01);
  EXPECT_NEAR(tensor_of(state, "norm.weight").std().item<double>(), 0.02, 0.006);
  EXPECT_TRUE(tensor_of(state, "norm.running_var").eq(1).all().item<bool>());
  expect_uniform(tensor_of(state, "fc.weight"), 32 * 13 * 13);
}

/// He et al. 2015, equation 10: 2 / fan in before a ReLU. A pixel of a transposed convolution of stride 2 is the sum
/// of a quarter of the kernel's products.
TEST(Initialise, KeepingSizeTheDeviationIsHes) {
  Network network("net", {8, 12, 12});
  network.add("conv", Conv2d{64, 3});
  network.add("conv_relu", Relu{});
  network.add("transposed", ConvTranspose2d{32, 4, 2});
  network.add("transposed_relu", LeakyRelu{0.01});
  network.add("flatten", Flatten{});
  network.add("fc", Linear{64});
  network.add("sigmoid", Sigmoid{});
  Generator generator = make_generator(13, "test");
  test_support::randomise(network, generator);
  initialise(network, {.keeps_size = true, .convolution_deviation = 5}, generator);
  const NamedTensors state = network.state();
  const auto deviation = [&](const char* name) { return tensor_of(state, name).std().item<double>(); };
  EXPECT_NEAR(deviation("conv.weight") * std::sqrt(8 * 9 / 2.0), 1, 0.03);
  EXPECT_NEAR(deviation("transposed.weight") * std::sqrt(64 * 16 / 4 / 2.0), 1, 0.03);
  EXPECT_NEAR(deviation("fc.weight") * std::sqrt(32 * 22 * 22), 1, 0.03);
  for (const char* name : {"conv.bias", "transposed.bias", "fc.bias"})
    EXPECT_TRUE(tensor_of(state, name).eq(0).all().item<bool>()) << name;
}

TEST(Initialise, KeepingSizeASignalGoesThroughADeepNetwork) {
  Network network("deep", {256});
  for (int i = 0; i < 8; ++i) {
    network.add(fmt::format("fc{}", i), Linear{512});
    network.add(fmt::format("relu{}", i), Relu{});
  }
  network.add("end", Linear{512});
  const auto size_of_output = [&](const Initialisation& options) {
    Generator generator = make_generator(14, "test");
    initialise(network, options, generator);
    const Tensor input = at::randn({64, 256}, generator);
    return network.forward(input, {}).square().mean().item<double>();
  };
  EXPECT_LT(size_of_output({}), 0.01);
  EXPECT_NEAR(size_of_output({.keeps_size = true}), 1, 0.4);
}

TEST(Initialise, OneSeedGivesOneNetwork) {
  Network first = wide_network(), second = wide_network(), other = wide_network();
  Generator a = make_generator(11, "test"), b = make_generator(11, "test"), c = make_generator(12, "test");
  initialise(first, {}, a);
  initialise(second, {}, b);
  initialise(other, {}, c);
  const NamedTensors p = first.parameters(), q = second.parameters(), r = other.parameters();
  for (std::size_t i = 0; i < p.size(); ++i) EXPECT_TRUE(p[i].tensor.equal(q[i].tensor)) << p[i].name;
  EXPECT_FALSE(p[0].tensor.equal(r[0].tensor));
}

}  // namespace
}  // namespace whence::nn
