// Networks in float64 with random weights, and numeric gradients.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "whence/core/random.h"
#include "whence/nn/graph/network.h"

namespace whence::test_support {

/// Normal weights and biases, running statistics that are not their initial ones.
inline void randomise(nn::Network& network, Generator& generator) {
  const at::NoGradGuard no_gradients;
  for (const nn::NamedTensor& entry : network.state()) {
    entry.tensor.copy_(at::randn(entry.tensor.sizes(), generator).mul(0.5));
    if (entry.name.ends_with("running_var")) entry.tensor.abs_().add_(0.5);
  }
}

inline void to_float64(nn::Network& network) {
  for (const nn::NamedTensor& entry : network.state()) entry.tensor.set_data(entry.tensor.to(at::kDouble));
}

inline Tensor randn64(at::IntArrayRef sizes, Generator& generator) {
  return at::randn(sizes, generator, at::TensorOptions().dtype(at::kDouble));
}

inline Tensor half(const Tensor& x) { return x.to(at::kBFloat16).contiguous(at::MemoryFormat::ChannelsLast); }

inline double largest_difference(const Tensor& a, const Tensor& b) {
  if (a.sizes() != b.sizes()) return std::numeric_limits<double>::infinity();
  return (a.to(at::kDouble) - b.to(at::kDouble)).abs().max().item<double>();
}

inline double relative_error(const Tensor& ours, const Tensor& truth) {
  return ((ours.to(at::kDouble) - truth).norm() / truth.norm()).item<double>();
}

/// Half a unit in the last of bfloat16's 8 digits is 2^-9 of a value; float32 sums of exact products.
constexpr double kRounded = 1.0 / 512, kSummed = 1e-5;

/// A layer's gradients in its input (of `type`), weight and bias (float32), against those in float64.
inline void expect_layer_gradients(const std::vector<Tensor>& ours, const std::vector<Tensor>& truth,
                                   at::ScalarType type = at::kBFloat16) {
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_LT(relative_error(ours[i], truth[i]), i == 0 && type == at::kBFloat16 ? kRounded : kSummed) << i;
    EXPECT_EQ(ours[i].scalar_type(), i == 0 ? type : at::kFloat) << i;
  }
}

/// Central differences of the scalar function `loss` in every element of `variable` (float64).
inline Tensor numeric_gradient(const Tensor& variable, const std::function<double()>& loss) {
  constexpr double step = 1e-5;
  const at::NoGradGuard no_gradients;
  Tensor gradient = at::empty(variable.sizes(), at::kDouble);
  Tensor flat = gradient.view(-1);
  for (std::int64_t i = 0; i < variable.numel(); ++i) {
    std::int64_t rest = i;
    Tensor element = variable.detach();
    for (std::int64_t d = variable.dim(); d-- > 0;) {
      element = element.select(d, rest % variable.size(d));
      rest /= variable.size(d);
    }
    const double value = element.item<double>();
    element.fill_(value + step);
    const double above = loss();
    element.fill_(value - step);
    const double below = loss();
    element.fill_(value);
    flat[i] = (above - below) / (2 * step);
  }
  return gradient;
}

}  // namespace whence::test_support
