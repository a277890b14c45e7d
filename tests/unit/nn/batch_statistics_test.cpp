#include "nn/ops/batch_statistics.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include <cmath>

#include "nn/kernels/channel_mix.h"
#include "support/threads.h"
#include "whence/core/random.h"
#include "whence/platform/parts.h"

namespace whence::nn {
namespace {

constexpr double kMomentum = 0.1, kEpsilon = 1e-5;

/// What a normalisation gives: the output, the gradients of a random combination of it, and the running statistics.
struct Results {
  at::Tensor y, of_x, of_weight, of_bias, running_mean, running_var;
};

struct Case {
  at::Tensor x, weight, bias, running_mean, running_var, seed;
};

Case random_case(at::IntArrayRef sizes, at::ScalarType format, bool last) {
  Generator generator = make_generator(3, "batch statistics");
  const auto draw = [&](at::IntArrayRef shape) {
    return at::randn(shape, generator, at::TensorOptions(at::kDouble));
  };
  const auto learned = format == at::kDouble ? at::kDouble : at::kFloat;
  Case made{(2 * draw(sizes) + 3).to(format),      (draw({sizes[1]}) + 1).to(learned),
            draw({sizes[1]}).to(learned),          draw({sizes[1]}).to(learned),
            draw({sizes[1]}).square().to(learned), draw(sizes).to(format)};
  if (last) made.x = made.x.contiguous(at::MemoryFormat::ChannelsLast);
  return made;
}

/// LibTorch's, of the whole batch.
Results of_libtorch(const Case& given) {
  const at::Tensor x = given.x.detach().requires_grad_(), weight = given.weight.detach().requires_grad_(),
                   bias = given.bias.detach().requires_grad_();
  const at::Tensor mean = given.running_mean.clone(), variance = given.running_var.clone();
  const at::Tensor y = at::batch_norm(x, weight, bias, mean, variance, true, kMomentum, kEpsilon, false);
  const auto gradients = torch::autograd::grad({y}, {x, weight, bias}, {given.seed});
  return {y.detach(), gradients[0], gradients[1], gradients[2], mean, variance};
}

/// Ours, of parts side by side.
Results of_parts(const Case& given, std::int64_t parts) {
  const at::Tensor weight = given.weight.detach().requires_grad_(),
                   bias = given.bias.detach().requires_grad_();
  const NormTensors tensors{weight, bias, given.running_mean.clone(), given.running_var.clone()};
  std::vector<Results> own(static_cast<std::size_t>(parts));
  Exchange exchange(parts);
  run_parts(exchange, [&](std::int64_t part) {
    const auto [first, count] = part_of(given.x.size(0), part, parts);
    const at::Tensor x = given.x.narrow(0, first, count).detach().requires_grad_();
    const at::Tensor y = batch_norm_of_parts(x, tensors, kMomentum, kEpsilon, {&exchange, part});
    const auto gradients =
        torch::autograd::grad({y}, {x, weight, bias}, {given.seed.narrow(0, first, count)});
    own[static_cast<std::size_t>(part)] = {y.detach(), gradients[0], gradients[1], gradients[2], {}, {}};
  });
  Results all = own.front();
  for (std::size_t i = 1; i < own.size(); ++i) {
    all.y = at::cat({all.y, own[i].y});
    all.of_x = at::cat({all.of_x, own[i].of_x});
    all.of_weight = all.of_weight + own[i].of_weight;
    all.of_bias = all.of_bias + own[i].of_bias;
  }
  all.running_mean = tensors.running_mean;
  all.running_var = tensors.running_var;
  return all;
}

void expect_near(const at::Tensor& a, const at::Tensor& b, double tolerance, const char* what) {
  EXPECT_LE((a - b).abs().max().item<double>(), tolerance * (1 + b.abs().max().item<double>())) << what;
}

void expect_same(const Results& a, const Results& b, double tolerance) {
  expect_near(a.y, b.y, tolerance, "output");
  expect_near(a.of_x, b.of_x, tolerance, "gradient in x");
  expect_near(a.of_weight, b.of_weight, tolerance, "gradient in the weight");
  expect_near(a.of_bias, b.of_bias, tolerance, "gradient in the bias");
  expect_near(a.running_mean, b.running_mean, tolerance, "running mean");
  expect_near(a.running_var, b.running_var, tolerance, "running variance");
}

/// Parts, channels-last or not.
class BatchStatisticsTest : public ::testing::TestWithParam<std::tuple<std::int64_t, bool>> {
  test::Threads threads_{2};
};

/// Parts of different sizes: 11 images on two threads.
TEST_P(BatchStatisticsTest, AreThoseOfTheWholeBatch) {
  const auto [parts, last] = GetParam();
  expect_same(of_parts(random_case({11, 5, 4, 3}, at::kDouble, last), parts),
              of_libtorch(random_case({11, 5, 4, 3}, at::kDouble, last)), 1e-12);
  expect_same(of_parts(random_case({11, 32, 4, 3}, at::kFloat, last), parts),
              of_libtorch(random_case({11, 32, 4, 3}, at::kFloat, last)), 2e-5);
}

/// Beside float64: LibTorch's own bfloat16 rounds, too.
TEST_P(BatchStatisticsTest, OfBfloat16AreWithinItsRounding) {
  const auto [parts, last] = GetParam();
  const Case narrow = random_case({12, 33, 6, 6}, at::kBFloat16, last);
  Case exact = narrow;
  for (at::Tensor* tensor :
       {&exact.x, &exact.weight, &exact.bias, &exact.running_mean, &exact.running_var, &exact.seed})
    *tensor = tensor->to(at::kDouble);
  const Results ours = of_parts(narrow, parts), truth = of_libtorch(exact);
  EXPECT_EQ(ours.y.scalar_type(), at::kBFloat16);
  expect_near(ours.y.to(at::kDouble), truth.y, 0.004, "output");
  expect_near(ours.of_x.to(at::kDouble), truth.of_x, 0.004, "gradient in x");
  expect_near(ours.of_weight.to(at::kDouble), truth.of_weight, 0.004, "gradient in the weight");
}

INSTANTIATE_TEST_SUITE_P(Parts, BatchStatisticsTest,
                         ::testing::Combine(::testing::Values(1, 2), ::testing::Bool()));

TEST(BatchStatistics, OfFeaturesAreThoseOfTheWholeBatch) {
  const test::Threads threads(2);
  expect_same(of_parts(random_case({9, 7}, at::kDouble, false), 2),
              of_libtorch(random_case({9, 7}, at::kDouble, false)), 1e-12);
}

TEST(ChannelMix, KeepsNanAndRoundsToTheNearestEven) {
  // 1 + 2^-8 lies between 1 and 1 + 2^-7: to the even one, 1. 1 + 3 2^-8: to 1 + 2^-6.
  const at::Tensor x = at::zeros({4, 1}, at::kBFloat16), y = x.clone();
  const auto mixed = [&](float value) {
    return channel_mix(x, y, at::ones({1}), at::ones({1}), at::full({1}, value)).flatten()[0].item<float>();
  };
  EXPECT_EQ(mixed(1 + 0x1p-8f), 1.F);
  EXPECT_EQ(mixed(1 + 0x3p-8f), 1 + 0x1p-6f);
  EXPECT_TRUE(std::isnan(mixed(std::nanf(""))));
  EXPECT_TRUE(std::isinf(mixed(INFINITY)));
}

}  // namespace
}  // namespace whence::nn
