// Every operation's gradients, in inputs and parameters, against central differences in float64.
#include <torch/csrc/autograd/autograd.h>

#include <ostream>

#include "unit/nn/network_support.h"

namespace whence::nn {
namespace {

struct GradientCase {
  const char* name;
  Shape input;
  Op op;
  bool training = false;
};
void PrintTo(const GradientCase& gradient_case, std::ostream* out) { *out << gradient_case.name; }

class Gradients : public ::testing::TestWithParam<GradientCase> {};

TEST_P(Gradients, AgreeWithCentralDifferences) {
  Generator generator = make_generator(1, "test");
  Network network("n", GetParam().input);
  const bool joins =
      std::holds_alternative<Add>(GetParam().op) || std::holds_alternative<Concat>(GetParam().op);
  if (std::holds_alternative<Gate>(GetParam().op)) {
    network.add("means", GlobalAvgPool2d{});
    network.add("layer", GetParam().op, {"input", "means"});
  } else if (joins) {
    network.add("tanh", Tanh{});
    network.add("layer", GetParam().op, {"input", "tanh", "input"});
  } else {
    network.add("layer", GetParam().op);
  }
  test_support::randomise(network, generator);
  test_support::to_float64(network);
  network.require_gradients(true);

  Shape batch = {3};
  batch.insert(batch.end(), GetParam().input.begin(), GetParam().input.end());
  const Tensor x = test_support::randn64(batch, generator).set_requires_grad(true);
  batch.assign({3});
  batch.insert(batch.end(), network.output_shape().begin(), network.output_shape().end());
  const Tensor weights = test_support::randn64(batch, generator);
  const auto loss = [&] {
    Generator dropout = make_generator(7, "dropout");
    return (weights * network.forward(x, {.training = GetParam().training, .dropout = &dropout})).sum();
  };

  std::vector<Tensor> variables = {x};
  for (const NamedTensor& parameter : network.parameters()) variables.push_back(parameter.tensor);
  const std::vector<Tensor> gradients = torch::autograd::grad({loss()}, variables);
  for (std::size_t i = 0; i < variables.size(); ++i) {
    const Tensor expected =
        test_support::numeric_gradient(variables[i], [&] { return loss().item<double>(); });
    EXPECT_LT(test_support::largest_difference(gradients[i], expected),
              1e-7 * (1 + expected.abs().max().item<double>()))
        << (i == 0 ? "input" : network.parameters()[i - 1].name);
    EXPECT_GT(expected.abs().max().item<double>(), 1e-3) << "a test of nothing";
  }
}

INSTANTIATE_TEST_SUITE_P(
    Ops, Gradients,
    ::testing::Values(
        GradientCase{"conv", {2, 5, 4}, Conv2d{3, 3, 2, 1}},
        GradientCase{"conv_without_bias", {1, 4, 4}, Conv2d{2, 3, 1, 0, false}},
        GradientCase{
            "conv_in_groups", {4, 4, 3}, Conv2d{.channels = 6, .kernel = 3, .padding = 1, .groups = 2}},
        GradientCase{
            "conv_of_each_channel", {3, 4, 3}, Conv2d{.channels = 3, .kernel = 3, .padding = 1, .groups = 3}},
        GradientCase{"conv_of_rows",
                     {2, 3, 7},
                     Conv2d{.channels = 3, .kernel = {1, 5}, .stride = {1, 2}, .padding = {0, 2}}},
        GradientCase{"conv_dilated", {2, 6, 5}, Conv2d{.channels = 2, .kernel = {3, 2}, .dilation = {2, 3}}},
        GradientCase{"transposed", {2, 3, 4}, ConvTranspose2d{3, 4, 1, 1}},
        GradientCase{"transposed_stride_2", {2, 3, 4}, ConvTranspose2d{3, 4, 2, 1}},
        GradientCase{"transposed_stride_3", {2, 3, 2}, ConvTranspose2d{1, 4, 3, 0, 2}},
        GradientCase{"transposed_without_bias", {2, 3, 3}, ConvTranspose2d{2, 3, 2, 1, 1, false}},
        GradientCase{"linear", {2, 4}, Linear{3}}, GradientCase{"batch_norm", {2, 3, 2}, BatchNorm2d{}},
        GradientCase{"scale_shift", {2, 3, 2}, ScaleShift{}},
        GradientCase{"batch_norm_training", {2, 3, 2}, BatchNorm2d{}, true},
        GradientCase{"batch_norm_1d", {5}, BatchNorm1d{}},
        GradientCase{"batch_norm_1d_training", {5}, BatchNorm1d{}, true},
        GradientCase{"upsample", {2, 3, 2}, UpsampleNearest2d{3}}, GradientCase{"relu", {7}, Relu{}},
        GradientCase{"leaky_relu", {7}, LeakyRelu{0.2}}, GradientCase{"sigmoid", {7}, Sigmoid{}},
        GradientCase{"tanh", {7}, Tanh{}}, GradientCase{"hardtanh", {7}, Hardtanh{-0.5, 1}},
        GradientCase{"hardsigmoid", {7}, Hardsigmoid{}}, GradientCase{"hardswish", {7}, Hardswish{}},
        GradientCase{"silu", {7}, Silu{}}, GradientCase{"gelu", {7}, Gelu{}},
        GradientCase{"gelu_tanh", {7}, Gelu{true}}, GradientCase{"layer_norm", {2, 3, 4}, LayerNorm{1e-3}},
        GradientCase{"softmax", {4}, Softmax{}}, GradientCase{"log_softmax", {4, 2}, LogSoftmax{}},
        GradientCase{"max_pool", {2, 5, 4}, MaxPool2d{3, 2, 1}},
        GradientCase{"max_pool_ceil", {2, 6, 5}, MaxPool2d{3, 2, 0, true}},
        GradientCase{"avg_pool", {2, 5, 4}, AvgPool2d{3, 2, 1}},
        GradientCase{"avg_pool_ceil", {2, 6, 5}, AvgPool2d{3, 2, 1, true, false}},
        GradientCase{"adaptive_avg_pool", {2, 5, 4}, AdaptiveAvgPool2d{3, 2}},
        GradientCase{"global_avg_pool", {2, 3, 4}, GlobalAvgPool2d{}},
        GradientCase{"dropout", {20}, Dropout{0.4}, true},
        GradientCase{"dropout2d", {6, 2, 2}, Dropout2d{0.4}, true},
        GradientCase{"flatten", {2, 3, 2}, Flatten{}}, GradientCase{"reshape", {12}, Reshape{{3, 2, 2}}},
        GradientCase{"zero_pad", {2, 2, 3}, ZeroPad2d{1, 2, 0, 3}}, GradientCase{"add", {2, 3}, Add{}},
        GradientCase{"permute", {2, 3, 4}, Permute{{1, 2, 0}}}, GradientCase{"slice", {5, 2, 2}, Slice{1, 3}},
        GradientCase{"gate", {2, 3, 2}, Gate{}}, GradientCase{"concat", {2, 3, 2}, Concat{}}),
    [](const auto& instance) { return std::string(instance.param.name); });

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
