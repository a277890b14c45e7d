// Batch normalisation against LibTorch's in float64, forward and backward.
#include "nn/ops/batch_norm.h"

#include <ATen/Parallel.h>
#include <torch/csrc/autograd/autograd.h>

#include "unit/nn/network_support.h"

namespace whence::nn {
namespace {

/// Everything that a layer gives: its output, the moved statistics, the gradients of input, weight and bias.
struct Outcome {
  Tensor output, running_mean, running_variance, of_x, of_weight, of_bias;
};

struct Case {
  Tensor x, cotangent;
  BatchNormTensors tensors;
  bool training, relu;
};

BatchNormTensors copied(const BatchNormTensors& tensors, at::ScalarType type) {
  const auto copy = [&](const Tensor& tensor) { return tensor.detach().to(type, false, true); };
  return {copy(tensors.weight).requires_grad_(), copy(tensors.bias).requires_grad_(),
          copy(tensors.running_mean), copy(tensors.running_variance)};
}

Outcome outcome_of(const Case& given) {
  const Tensor x = given.x.detach().clone().requires_grad_();
  const BatchNormTensors tensors = copied(given.tensors, at::kFloat);
  const Tensor y = batch_norm(x, tensors, {1e-5, 0.1}, given.training, given.relu);
  const auto gradients = torch::autograd::grad({y}, {x, tensors.weight, tensors.bias}, {given.cotangent});
  return {y, tensors.running_mean, tensors.running_variance, gradients[0], gradients[1], gradients[2]};
}

Outcome truth_of(const Case& given) {
  const Tensor x = given.x.detach().to(at::kDouble).contiguous().requires_grad_();
  const BatchNormTensors tensors = copied(given.tensors, at::kDouble);
  const Tensor plain = at::batch_norm(x, tensors.weight, tensors.bias, tensors.running_mean,
                                      tensors.running_variance, given.training, 0.1, 1e-5, false);
  const Tensor y = given.relu ? plain.relu() : plain;
  const auto gradients = torch::autograd::grad({y}, {x, tensors.weight, tensors.bias},
                                               {given.cotangent.to(at::kDouble).contiguous()});
  return {y, tensors.running_mean, tensors.running_variance, gradients[0], gradients[1], gradients[2]};
}

void expect_near(const Outcome& ours, const Outcome& truth, double pixels, double sums) {
  EXPECT_LT(test_support::relative_error(ours.output, truth.output), pixels);
  EXPECT_LT(test_support::relative_error(ours.of_x, truth.of_x), pixels);
  EXPECT_LT(test_support::relative_error(ours.running_mean, truth.running_mean), sums);
  EXPECT_LT(test_support::relative_error(ours.running_variance, truth.running_variance), sums);
  EXPECT_LT(test_support::relative_error(ours.of_weight, truth.of_weight), sums);
  EXPECT_LT(test_support::relative_error(ours.of_bias, truth.of_bias), sums);
}

Case case_of(at::IntArrayRef sizes, at::ScalarType type, bool training, bool relu, double centre = 0.5) {
  Generator generator = make_generator(11, "test");
  const auto image = [&] { return at::randn(sizes, generator).contiguous(at::MemoryFormat::ChannelsLast); };
  const auto vector = [&] { return at::randn({sizes[1]}, generator); };
  return {(image() + centre).to(type),
          image().to(type),
          {vector(), vector(), vector() + centre, vector().abs() + 0.5},
          training,
          relu};
}

class BatchNorms : public ::testing::TestWithParam<std::tuple<at::ScalarType, bool, bool>> {};

TEST_P(BatchNorms, AgreeWithLibTorchInFloat64) {
  const auto [type, training, relu] = GetParam();
  const bool half = type == at::kBFloat16;
  // More pixels than a block of sums has, no multiple of what is added at once, channels that fill no vector.
  for (const std::vector<std::int64_t>& sizes : {std::vector<std::int64_t>{2, 1, 3, 5},
                                                 {5, 7, 9, 11},
                                                 {9, 64, 13, 11},
                                                 {3, 40, 4, 1},
                                                 {70, 130, 3, 2}}) {
    SCOPED_TRACE(sizes[1]);
    const Case given = case_of(sizes, type, training, relu);
    const Outcome ours = outcome_of(given);
    EXPECT_EQ(ours.output.scalar_type(), type);
    expect_near(ours, truth_of(given), half ? 4e-3 : 2e-6, 2e-5);
  }
}

INSTANTIATE_TEST_SUITE_P(Formats, BatchNorms,
                         ::testing::Combine(::testing::Values(at::kFloat, at::kBFloat16), ::testing::Bool(),
                                            ::testing::Bool()),
                         [](const auto& instance) {
                           return std::string(at::toString(std::get<0>(instance.param))) +
                                  (std::get<1>(instance.param) ? "InTraining" : "") +
                                  (std::get<2>(instance.param) ? "WithRelu" : "");
                         });

TEST(BatchNorm, KeepsItsDigitsFarFromZero) {
  const Case far = case_of({6, 20, 17, 16}, at::kFloat, true, false, 3000);
  const Outcome ours = outcome_of(far), truth = truth_of(far);
  EXPECT_LT(test_support::relative_error(ours.running_variance, truth.running_variance), 1e-5);
  EXPECT_LT(test_support::relative_error(ours.of_x, truth.of_x),
            1e-3);  // x itself has 1e-4 of its spread as error
}

TEST(BatchNorm, TakesImagesInAnyOrderOfMemory) {
  Case given = case_of({4, 24, 7, 6}, at::kFloat, true, true);
  const Outcome together = outcome_of(given);
  given.x = given.x.contiguous();
  given.cotangent = given.cotangent.contiguous();
  const Outcome apart = outcome_of(given);
  EXPECT_TRUE(apart.output.equal(together.output));
  EXPECT_TRUE(apart.of_x.equal(together.of_x));
}

TEST(BatchNorm, GivesTheSameBitsWithAnyNumberOfThreads) {
  const Case given = case_of({16, 64, 30, 31}, at::kBFloat16, true, true);
  const int threads = at::get_num_threads();
  at::set_num_threads(1);
  const Outcome one = outcome_of(given);
  at::set_num_threads(3);
  const Outcome three = outcome_of(given);
  at::set_num_threads(threads);
  EXPECT_TRUE(one.output.equal(three.output));
  EXPECT_TRUE(one.of_x.equal(three.of_x));
  EXPECT_TRUE(one.of_weight.equal(three.of_weight));
  EXPECT_TRUE(one.running_variance.equal(three.running_variance));
}

TEST(BatchNorm, AChannelOfOneValueIsItsBias) {
  const Tensor x = at::full({3, 2, 4, 4}, 7.25f);
  const BatchNormTensors tensors = {at::ones({2}), at::tensor({1.5f, -2.0f}), at::zeros({2}), at::ones({2})};
  const Tensor y = batch_norm(x, tensors, {1e-5, 0.1}, true, false);
  EXPECT_TRUE(y.select(1, 0).allclose(at::full({3, 4, 4}, 1.5f), 0, 1e-5));
  EXPECT_TRUE(y.select(1, 1).allclose(at::full({3, 4, 4}, -2.0f), 0, 1e-5));
  EXPECT_NEAR(tensors.running_variance[0].item<float>(), 0.9f, 1e-6);
}

TEST(BatchNorm, NotANumberStaysOne) {
  for (const at::ScalarType type : {at::kFloat, at::kBFloat16}) {
    Tensor x = at::ones({1, 16, 2, 2}, type);
    x[0][3][0][0] = std::numeric_limits<double>::quiet_NaN();
    const BatchNormTensors tensors = {at::ones({16}), at::zeros({16}), at::zeros({16}), at::ones({16})};
    const Tensor y = batch_norm(x, tensors, {1e-5, 0.1}, false, true);
    EXPECT_TRUE(y[0][3][0][0].isnan().item<bool>());
    EXPECT_EQ(y.isnan().sum().item<std::int64_t>(), 1);
  }
}

TEST(BatchNorm, HasNoSecondDerivatives) {
  const Case given = case_of({2, 3, 4, 4}, at::kFloat, true, false);
  const Tensor x = given.x.detach().requires_grad_();
  const Tensor y = batch_norm(x, copied(given.tensors, at::kFloat), {1e-5, 0.1}, true, false);
  EXPECT_THROW(torch::autograd::grad({y.square().sum()}, {x}, {}, true, true), c10::Error);
}

}  // namespace
}  // namespace whence::nn
