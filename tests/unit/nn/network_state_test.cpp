// Parameters and buffers: names, copying in, clones, frozen copies.
#include "support/errors.h"
#include "unit/nn/network_support.h"

namespace whence::nn {
namespace {

using test::error_of;

Network small_network() {
  Network network("net", {1, 4, 4});
  network.add("conv", Conv2d{2, 3});
  network.add("norm", BatchNorm2d{});
  network.add("flatten", Flatten{});
  network.add("fc", Linear{3, false});
  return network;
}

TEST(NetworkState, HasPyTorchNamesInTheOrderOfTheLayers) {
  std::vector<std::string> parameters, state;
  const Network network = small_network();
  for (const NamedTensor& entry : network.parameters()) parameters.push_back(entry.name);
  for (const NamedTensor& entry : network.state()) state.push_back(entry.name);
  EXPECT_EQ(parameters,
            (std::vector<std::string>{"conv.weight", "conv.bias", "norm.weight", "norm.bias", "fc.weight"}));
  EXPECT_EQ(state, (std::vector<std::string>{"conv.weight", "conv.bias", "norm.weight", "norm.bias",
                                             "norm.running_mean", "norm.running_var", "fc.weight"}));
  EXPECT_EQ(network.parameter_count(), 18 + 2 + 2 + 2 + 24);
}

TEST(NetworkState, LoadsWhatAnotherNetworkHolds) {
  Generator generator = make_generator(5, "test");
  Network source = small_network(), target = small_network();
  test_support::randomise(source, generator);
  target.load_state(source.state());
  const Tensor x = at::randn({2, 1, 4, 4}, generator);
  EXPECT_TRUE(source.forward(x).equal(target.forward(x)));
  source.parameters()[0].tensor.zero_();
  EXPECT_FALSE(source.forward(x).equal(target.forward(x))) << "values are copied, not shared";
}

TEST(NetworkState, NamesEverythingThatDoesNotFitAndChangesNothing) {
  Generator generator = make_generator(6, "test");
  Network network = small_network();
  NamedTensors state;
  for (const NamedTensor& entry : network.state()) state.push_back({entry.name, at::ones_like(entry.tensor)});
  state[0].tensor = at::ones({2, 1, 3, 2});
  state[1].name = "conv.bais";
  state[2].tensor = state[2].tensor.to(at::kDouble);
  state.push_back(state[3]);
  EXPECT_EQ(error_of([&] { network.load_state(state); }),
            "the weights do not fit network \"net\": \"norm.bias\" is there twice, \"conv.weight\" has shape "
            "2x1x3x2 "
            "instead of 2x1x3x3, \"conv.bias\" is missing, \"norm.weight\" holds double instead of float, "
            "\"conv.bais\" is not part of it");
  EXPECT_EQ(network.parameters().back().tensor.abs().max().item<float>(), 0);
}

TEST(NetworkState, CopiesShareParametersAndClonesDoNot) {
  Generator generator = make_generator(7, "test");
  Network network = small_network();
  test_support::randomise(network, generator);
  network.require_gradients(true);
  const Network shared = network, clone = network.clone();
  EXPECT_TRUE(clone.parameters()[0].tensor.requires_grad());
  EXPECT_TRUE(clone.parameters()[0].tensor.is_leaf());
  const Tensor x = at::randn({2, 1, 4, 4}, generator), before = network.forward(x);
  for (const NamedTensor& entry : network.state()) entry.tensor.detach().zero_();
  EXPECT_TRUE(shared.forward(x).equal(network.forward(x)));
  EXPECT_TRUE(clone.forward(x).equal(before));
}

TEST(NetworkState, FrozenCopiesNeedNoGradientsAndGiveTheSame) {
  Generator generator = make_generator(8, "test");
  Network network = small_network();
  test_support::randomise(network, generator);
  network.require_gradients(true);
  const Network frozen = network.frozen(Precision::float32);
  const Tensor x = at::randn({2, 1, 4, 4}, generator);
  EXPECT_TRUE(frozen.forward(x).equal(network.forward(x)));
  EXPECT_FALSE(frozen.forward(x).requires_grad());
  EXPECT_TRUE(network.parameters()[0].tensor.requires_grad());
}

TEST(NetworkState, FrozenForBfloat16ConvertsOnlyTheWeightsThatRunInIt) {
  const Network frozen = small_network().frozen(Precision::bfloat16);
  for (const NamedTensor& entry : frozen.state()) {
    const bool converted = entry.name == "conv.weight";
    EXPECT_EQ(entry.tensor.scalar_type(), converted ? at::kBFloat16 : at::kFloat) << entry.name;
  }
}

TEST(NetworkDevice, IsWhereItsTensorsLie) {
  EXPECT_EQ(Network("empty", {3}).device(), at::Device(at::kCPU));
  Network network = small_network();
  network.require_gradients(true);
  const at::Tensor before = network.parameters()[0].tensor;
  network.to(at::kCPU);
  EXPECT_TRUE(network.parameters()[0].tensor.is_same(before)) << "what is there already does not move";

  const Network shared = network;
  network.to(at::kMeta);
  EXPECT_EQ(network.device(), at::Device(at::kMeta));
  for (const auto& [name, tensor] : network.state())
    EXPECT_EQ(tensor.device(), at::Device(at::kMeta)) << name;
  for (const auto& [name, tensor] : network.parameters()) EXPECT_TRUE(tensor.requires_grad()) << name;
  EXPECT_EQ(network.parameters()[0].tensor.strides(), before.strides());
  EXPECT_EQ(shared.device(), at::Device(at::kCPU));
}

TEST(NetworkDevice, AGpuComputesTheSame) {
  if (!at::hasCUDA()) GTEST_SKIP() << "there is no GPU here";
  Network network = small_network();
  Generator generator = make_generator(3, "device");
  initialise(network, {}, generator);
  const at::Tensor x = at::rand({4, 1, 4, 4}, generator), y = network.forward(x);
  network.to(at::kCUDA);
  EXPECT_LT((network.forward(x.to(at::kCUDA)).cpu() - y).abs().max().item<double>(), 1e-5);
}

}  // namespace
}  // namespace whence::nn
