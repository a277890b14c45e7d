// Maximum pooling against LibTorch's, forward and backward.
#include "nn/ops/max_pool.h"

#include <torch/csrc/autograd/autograd.h>

#include "unit/nn/network_support.h"

namespace whence::nn {
namespace {

class MaxPools : public ::testing::TestWithParam<std::tuple<at::ScalarType, bool>> {};

TEST_P(MaxPools, AgreeWithLibTorch) {
  const auto [type, relu] = GetParam();
  Generator generator = make_generator(4, "test");
  for (const MaxPool2d op :
       {MaxPool2d{2, 2}, MaxPool2d{3, 2, 1}, MaxPool2d{3, 1}, MaxPool2d{2, 3}, MaxPool2d{5, 5, 2}}) {
    for (const auto& [channels, height, width] :
         {std::tuple{1, 11, 9}, std::tuple{7, 11, 9}, std::tuple{64, 11, 9}, std::tuple{40, 12, 6}}) {
      const Tensor x = at::randn({3, channels, height, width}, generator).to(type).requires_grad_();
      const Tensor twin = x.detach().clone().requires_grad_();
      const Tensor y = max_pool(x, op, relu);
      const Tensor truth = at::max_pool2d(relu ? at::relu(twin) : twin, op.kernel, op.stride, op.padding);
      ASSERT_TRUE(y.equal(truth)) << "kernel " << op.kernel << " stride " << op.stride;
      EXPECT_EQ(y.scalar_type(), type);
      const Tensor cotangent = at::randn(y.sizes(), generator).to(type);
      const Tensor ours = torch::autograd::grad({y}, {x}, {cotangent})[0];
      const Tensor expected = torch::autograd::grad({truth}, {twin}, {cotangent})[0];
      if (op.stride >= op.kernel) {
        EXPECT_TRUE(ours.equal(expected));
      } else {  // sums of up to nine, rounded in another order
        EXPECT_LT(test_support::largest_difference(ours, expected), type == at::kBFloat16 ? 0.1 : 1e-5);
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Types, MaxPools,
                         ::testing::Combine(::testing::Values(at::kDouble, at::kFloat, at::kBFloat16),
                                            ::testing::Bool()),
                         [](const auto& instance) {
                           return std::string(at::toString(std::get<0>(instance.param))) +
                                  (std::get<1>(instance.param) ? "AfterRelu" : "");
                         });

TEST(MaxPool, KeepsNotANumber) {
  for (const at::ScalarType type : {at::kDouble, at::kFloat, at::kBFloat16}) {
    for (std::int64_t place = 0; place < 4; ++place) {
      Tensor x = at::ones({1, 1, 2, 2}, type);
      x.view(-1)[place] = std::numeric_limits<double>::quiet_NaN();
      EXPECT_TRUE(max_pool(x, {2, 2}, false).isnan().all().item<bool>());
      EXPECT_TRUE(max_pool(x, {2, 2}, true).isnan().all().item<bool>());
    }
  }
}

TEST(MaxPool, TakesWindowsLargerThanAByteCounts) {
  Generator generator = make_generator(5, "test");
  const Tensor x = at::randn({2, 3, 20, 18}, generator);
  EXPECT_TRUE(max_pool(x, {17, 1}, true).equal(at::max_pool2d(x.relu(), 17, 1)));
}

TEST(MaxPool, HasNoSecondDerivatives) {
  const Tensor x = at::rand({1, 1, 4, 4}, make_generator(6, "test")).requires_grad_();
  EXPECT_THROW(torch::autograd::grad({max_pool(x, {2, 2}, false).sum()}, {x}, {}, true, true), c10::Error);
}

/// The gradients of a network whose ReLUs are merged into their neighbours, and those of one that shows each of them
/// as an output, so that none is.
TEST(Relu, MergedIntoItsNeighboursChangesNothing) {
  Generator generator = make_generator(7, "test");
  Network network("n", {2, 9, 9});
  network.add("conv1", Conv2d{4, 3});
  network.add("relu1", Relu{});
  network.add("up", ConvTranspose2d{3, 3, 2});
  network.add("relu2", Relu{});
  network.add("pool", MaxPool2d{2, 2});
  network.add("relu3", Relu{}, {"up"});
  network.add("conv2", Conv2d{2, 3});
  network.add("relu4", Relu{});
  network.add("pool2", MaxPool2d{3, 1});
  network.set_outputs({"pool", "pool2"});
  test_support::randomise(network, generator);
  test_support::to_float64(network);
  network.require_gradients(true);
  const Tensor x = test_support::randn64({3, 2, 9, 9}, generator).requires_grad_();
  const auto gradients = [&](const std::vector<LayerId>& wanted) {
    const std::vector<Tensor> outputs = network.activations(x, wanted);
    std::vector<Tensor> variables = {x};
    for (const NamedTensor& parameter : network.parameters()) variables.push_back(parameter.tensor);
    return torch::autograd::grad({outputs[0].square().sum() + outputs[1].square().sum()}, variables);
  };
  std::vector<LayerId> shown = network.outputs();
  for (const char* layer : {"conv1", "relu1", "relu2", "relu3", "relu4", "conv2"})
    shown.push_back(network.find(layer));
  const auto merged = gradients(network.outputs()), plain = gradients(shown);
  for (std::size_t i = 0; i < plain.size(); ++i)
    EXPECT_LT(test_support::largest_difference(merged[i], plain[i]), 1e-12) << i;
}

}  // namespace
}  // namespace whence::nn
