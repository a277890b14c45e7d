// The linear layer in bfloat16 and its gradients against LibTorch's in float64.
#include "nn/ops/bf16_linear.h"

#include <ATen/Parallel.h>
#include <torch/csrc/autograd/autograd.h>

#include "nn/kernels/bf16_linear_product.h"
#include "nn/kernels/product_units.h"
#include "unit/nn/network_support.h"

namespace whence::nn {
namespace {

using test_support::expect_layer_gradients;
using test_support::kRounded;
using test_support::relative_error;

struct Sizes {
  std::int64_t samples, inputs, outputs;
};

class Bf16Linears : public ::testing::TestWithParam<Sizes> {
 protected:
  void SetUp() override {
    if (!has_bf16_products()) GTEST_SKIP() << "this processor has no AVX512_BF16";
    const auto [samples, inputs, outputs] = GetParam();
    Generator generator = make_generator(4, "test");
    const auto rounded = [&](at::IntArrayRef sizes) { return at::randn(sizes, generator).to(at::kBFloat16); };
    x = rounded({samples, inputs}).set_requires_grad(true);
    weight = rounded({outputs, inputs}).to(at::kFloat).set_requires_grad(true);
    bias = at::randn({outputs}, generator).set_requires_grad(true);
    cotangent = rounded({samples, outputs});
    for (const Tensor* variable : {&x, &weight, &bias})
      twins.push_back(variable->detach().to(at::kDouble).set_requires_grad(true));
    truth = at::linear(twins[0], twins[1], twins[2]);
  }
  std::vector<Tensor> gradients(const Tensor& y) const {
    return torch::autograd::grad({y}, {x, weight, bias}, {cotangent});
  }

  Tensor x, weight, bias, truth, cotangent;
  std::vector<Tensor> twins;
};

TEST_P(Bf16Linears, AgreeWithFloat64) {
  const Tensor y = bf16_linear(x, weight, bias);
  ASSERT_EQ(y.sizes(), truth.sizes());
  EXPECT_LT(relative_error(y, truth), kRounded);
  const auto ours = gradients(y);
  const auto expected = torch::autograd::grad({truth}, twins, {cotangent.to(at::kDouble)});
  expect_layer_gradients(ours, expected);
}

TEST_P(Bf16Linears, TakeFrozenWeightsInEitherFormat) {
  const Tensor of_input = gradients(bf16_linear(x, weight, bias))[0];
  for (const at::ScalarType type : {at::kFloat, at::kBFloat16}) {
    const Tensor frozen = weight.detach().to(type);
    const Tensor y = bf16_linear(x, frozen, bias.detach());
    EXPECT_TRUE(y.equal(bf16_linear(x, weight, bias)));
    EXPECT_TRUE(torch::autograd::grad({y}, {x}, {cotangent})[0].equal(of_input));
  }
}

TEST_P(Bf16Linears, NeedNoBias) {
  EXPECT_TRUE(bf16_linear(x, weight, {}).equal(bf16_linear(x, weight, at::zeros_like(bias))));
}

TEST_P(Bf16Linears, GiveTheSameBitsOnAnyNumberOfThreads) {
  const int threads = at::get_num_threads();
  std::vector<std::vector<Tensor>> results;
  for (const int count : {1, 3}) {
    at::set_num_threads(count);
    const Tensor y = bf16_linear(x, weight, bias);
    results.push_back(gradients(y));
    results.back().push_back(y.detach());
  }
  at::set_num_threads(threads);
  for (std::size_t i = 0; i < results[0].size(); ++i) EXPECT_TRUE(results[0][i].equal(results[1][i])) << i;
}

std::string label(const ::testing::TestParamInfo<Sizes>& instance) {
  const Sizes& sizes = instance.param;
  return fmt::format("{}x{}x{}", sizes.samples, sizes.inputs, sizes.outputs);
}

INSTANTIATE_TEST_SUITE_P(Sizes, Bf16Linears,
                         ::testing::Values(Sizes{32, 288, 128}, Sizes{1, 32, 32}, Sizes{17, 64, 96},
                                           Sizes{47, 96, 32}, Sizes{150, 64, 64}, Sizes{33, 576, 32}),
                         label);

TEST(Bf16Linear, LeavesOtherSizesToLibTorch) {
  EXPECT_TRUE(fits_linear_products(at::zeros({32, 64})));
  EXPECT_FALSE(fits_linear_products(at::zeros({10, 64})));
  EXPECT_FALSE(fits_linear_products(at::zeros({32, 50})));
}

}  // namespace
}  // namespace whence::nn
