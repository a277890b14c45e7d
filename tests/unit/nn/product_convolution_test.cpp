// Convolutions that are products, and all their gradients against LibTorch's in float64.
#include "nn/kernels/product_convolution.h"

#include <ATen/Parallel.h>
#include <torch/csrc/autograd/autograd.h>

#include <limits>
#include <ostream>

#include "nn/kernels/product_units.h"
#include "unit/nn/network_support.h"

namespace whence::nn {
namespace {

using test_support::expect_layer_gradients;
using test_support::half;
using test_support::kRounded;
using test_support::relative_error;

struct ConvolutionCase {
  const char* name;
  Shape x, weight;  ///< with the batch
  std::int64_t stride = 1, padding = 0;
  bool transposed = false;
  std::int64_t output_padding = 0;
};
void PrintTo(const ConvolutionCase& tested, std::ostream* out) { *out << tested.name; }

class ProductConvolutions : public ::testing::TestWithParam<ConvolutionCase> {
 protected:
  void SetUp() override {
    if (!has_bf16_products()) GTEST_SKIP() << "this processor has no AVX512_BF16";
    Generator generator = make_generator(3, "test");
    x = half(at::randn(c.x, generator)).to(type).set_requires_grad(true);
    weight = half(at::randn(c.weight, generator).mul(0.1)).to(at::kFloat).set_requires_grad(true);
    bias = at::randn({c.weight[c.transposed ? 1 : 0]}, generator).set_requires_grad(true);
    for (const Tensor* variable : {&x, &weight, &bias})
      twins.push_back(variable->detach().to(at::kDouble).set_requires_grad(true));
    truth = c.transposed
                ? at::conv_transpose2d(twins[0], twins[1], twins[2], c.stride, c.padding, c.output_padding)
                : at::conv2d(twins[0], twins[1], twins[2], c.stride, c.padding);
    cotangent = half(at::randn(truth.sizes(), generator)).to(type);
  }

  Tensor run(bool relu) const {
    if (c.transposed) {
      const ConvTranspose2d op{c.weight[1], c.weight[2], c.stride, c.padding, c.output_padding};
      return product_transposed_convolution(x, weight, bias, op, relu);
    }
    return product_convolution(x, weight, bias, Conv2d{c.weight[0], c.weight[2], c.stride, c.padding}, relu);
  }
  std::vector<Tensor> gradients(const Tensor& y) const {
    return torch::autograd::grad({y}, {x, weight, bias}, {cotangent}, /*retain_graph=*/true);
  }

  const ConvolutionCase& c = GetParam();
  static constexpr at::ScalarType type = at::kBFloat16;
  Tensor x, weight, bias, truth, cotangent;
  std::vector<Tensor> twins;
};

TEST_P(ProductConvolutions, AgreeWithFloat64) {
  const Tensor y = run(false);
  ASSERT_EQ(y.sizes(), truth.sizes());
  EXPECT_EQ(y.scalar_type(), type);
  EXPECT_LT(relative_error(y, truth), kRounded);
  const auto ours = gradients(y);
  const auto expected = torch::autograd::grad({truth}, twins, {cotangent.to(at::kDouble)});
  expect_layer_gradients(ours, expected);
}

TEST_P(ProductConvolutions, TakeTheReluBehindThem) {
  const Tensor plain = run(false), y = run(true);
  EXPECT_TRUE(y.equal(plain.relu()));
  const Tensor positive = y.gt(0);
  EXPECT_GT(positive.sum().item<std::int64_t>(), 0);
  const auto ours = gradients(y);
  const auto expected = torch::autograd::grad({truth}, twins, {(cotangent * positive).to(at::kDouble)});
  expect_layer_gradients(ours, expected);
}

TEST_P(ProductConvolutions, HideNothingThatIsNoNumber) {
  const at::NoGradGuard no_gradients;
  x.fill_(std::numeric_limits<float>::quiet_NaN());
  EXPECT_TRUE(run(true).isnan().any().item<bool>());
}

TEST_P(ProductConvolutions, NeedNoBias) {
  const Tensor zero_bias = (bias.detach().zero_(), run(false));
  bias = Tensor();
  EXPECT_TRUE(run(false).equal(zero_bias));
}

TEST_P(ProductConvolutions, TakeNoImages) {
  x = x.detach().narrow(0, 0, 0).contiguous(at::MemoryFormat::ChannelsLast).set_requires_grad(true);
  const Tensor y = run(true);
  EXPECT_EQ(y.size(0), 0);
  const auto ours = torch::autograd::grad({y}, {x, weight, bias}, {at::empty_like(y)});
  EXPECT_EQ(ours[0].sizes(), x.sizes());
  EXPECT_EQ(ours[1].abs().max().item<float>(), 0);
  EXPECT_EQ(ours[2].abs().max().item<float>(), 0);
}

TEST_P(ProductConvolutions, GiveTheSameBitsOnAnyNumberOfThreads) {
  const int threads = at::get_num_threads();
  std::vector<std::vector<Tensor>> results;
  for (const int count : {1, 3}) {
    at::set_num_threads(count);
    const Tensor y = run(true);
    results.push_back(gradients(y));
    results.back().push_back(y.detach());
  }
  at::set_num_threads(threads);
  for (std::size_t i = 0; i < results[0].size(); ++i) EXPECT_TRUE(results[0][i].equal(results[1][i])) << i;
}

TEST_P(ProductConvolutions, GiveTheSameBitsHoweverTheWeightLies) {
  const Tensor y = run(true);
  const auto expected = gradients(y);
  weight = weight.detach().contiguous(at::MemoryFormat::ChannelsLast).set_requires_grad(true);
  const Tensor again = run(true);
  EXPECT_TRUE(again.equal(y));
  const auto ours = gradients(again);
  for (std::size_t i = 0; i < ours.size(); ++i) EXPECT_TRUE(ours[i].equal(expected[i])) << i;
}

TEST_P(ProductConvolutions, ComputeOnlyTheGradientsThatAreAskedFor) {
  const Tensor of_input = gradients(run(false))[0];
  weight.set_requires_grad(false);
  bias.set_requires_grad(false);
  EXPECT_TRUE(torch::autograd::grad({run(false)}, {x}, {cotangent})[0].equal(of_input));
  weight = weight.to(at::kBFloat16);  // as it was: its values are halves
  EXPECT_TRUE(torch::autograd::grad({run(false)}, {x}, {cotangent})[0].equal(of_input));
  EXPECT_THROW(torch::autograd::grad({run(false)}, {x}, {cotangent}, true, /*create_graph=*/true),
               c10::Error);
}

INSTANTIATE_TEST_SUITE_P(
    Geometries, ProductConvolutions,
    ::testing::Values(
        ConvolutionCase{"classifier1", {9, 1, 12, 12}, {32, 1, 3, 3}},
        ConvolutionCase{"classifier2", {5, 32, 10, 10}, {64, 32, 3, 3}},
        ConvolutionCase{"encoder1", {5, 1, 12, 12}, {64, 1, 4, 4}, 2, 1},
        ConvolutionCase{"encoder2", {5, 64, 14, 14}, {64, 64, 4, 4}, 2, 1},
        ConvolutionCase{"encoder3", {5, 64, 10, 10}, {64, 64, 4, 4}},
        ConvolutionCase{"odd", {3, 5, 7, 9}, {7, 5, 3, 3}, 2, 1},
        ConvolutionCase{"stride_leaves_rest", {2, 3, 8, 11}, {17, 3, 3, 3}, 3, 0},
        ConvolutionCase{"stride_past_kernel", {2, 3, 8, 9}, {4, 3, 2, 2}, 3, 1},
        ConvolutionCase{"wide_padding", {2, 3, 5, 4}, {33, 3, 3, 3}, 1, 4},
        ConvolutionCase{"pointwise", {40, 37, 3, 3}, {19, 37, 1, 1}},
        ConvolutionCase{"decoder1", {5, 64, 7, 7}, {64, 64, 4, 4}, 1, 1, true},
        ConvolutionCase{"decoder2", {5, 64, 8, 8}, {64, 64, 4, 4}, 2, 2, true},
        ConvolutionCase{"decoder3", {5, 64, 14, 14}, {64, 1, 4, 4}, 2, 1, true},
        ConvolutionCase{"transposed_odd", {3, 5, 4, 6}, {5, 7, 3, 3}, 2, 1, true, 1},
        ConvolutionCase{"transposed_past_kernel", {3, 5, 4, 3}, {5, 6, 2, 2}, 3, 0, true, 2},
        ConvolutionCase{"transposed_wide_padding", {2, 4, 6, 5}, {4, 3, 5, 5}, 2, 4, true},
        ConvolutionCase{"small_grid", {40, 64, 4, 4}, {96, 64, 3, 3}, 1, 1},
        ConvolutionCase{"small_grid_odd", {45, 32, 2, 3}, {32, 32, 3, 3}, 1, 1},
        ConvolutionCase{"small_grid_strided", {33, 32, 9, 8}, {64, 32, 4, 4}, 2, 1},
        ConvolutionCase{"small_grid_wide_padding", {40, 32, 1, 2}, {32, 32, 3, 3}, 1, 4},
        ConvolutionCase{"small_grid_past_kernel", {40, 32, 7, 6}, {32, 32, 2, 2}, 3, 0},
        ConvolutionCase{"small_grid_transposed", {41, 64, 4, 4}, {64, 32, 3, 3}, 2, 1, true, 1},
        ConvolutionCase{"small_grid_transposed_wide", {37, 32, 3, 2}, {32, 64, 4, 4}, 2, 2, true},
        ConvolutionCase{"large_weight", {5, 128, 2, 2}, {160, 128, 3, 3}, 1, 1},
        ConvolutionCase{"large_weight_transposed", {3, 96, 3, 3}, {96, 48, 4, 4}, 2, 1, true},
        ConvolutionCase{"twelve_columns", {2, 20, 6, 6}, {12, 20, 3, 3}, 1, 1},
        ConvolutionCase{"one_channel_of_many_pixels", {12, 3, 28, 28}, {3, 1, 4, 4}, 2, 1, true}),
    [](const auto& instance) { return std::string(instance.param.name); });

}  // namespace
}  // namespace whence::nn
