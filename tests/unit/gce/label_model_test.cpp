#include "whence/explain/gce/label_model.h"

#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include "whence/core/random.h"

namespace whence::gce {
namespace {

/// The twin is the network, layer by layer, through LibTorch's own gradients.
TEST(LabelModel, IsItsNetworkWithTheSameGradients) {
  for (const std::int64_t classes : {2, 10}) {
    Generator generator = make_generator(3, "label-model");
    const LabelModel labels(3, classes, generator);
    const at::Tensor alpha = at::randn({40, 3}, generator, at::kFloat);
    const at::Tensor weights = at::randn({40, classes}, generator, at::kFloat);
    const at::Tensor fast = labels.log_probabilities(alpha), slow = labels.network.forward(alpha);
    EXPECT_TRUE(at::allclose(fast, slow, 1e-6, 1e-6));
    const auto gradients = [&](const at::Tensor& log_q) {
      return torch::autograd::grad({(log_q * weights).sum()}, labels.optimizer.parameters());
    };
    const auto of_fast = gradients(fast), of_slow = gradients(slow);
    ASSERT_EQ(of_fast.size(), of_slow.size());
    for (std::size_t i = 0; i < of_fast.size(); ++i) {
      EXPECT_GT(of_slow[i].abs().max().item<double>(), 0) << i;
      EXPECT_TRUE(at::allclose(of_fast[i], of_slow[i], 1e-5, 1e-5)) << i;
    }
  }
}

}  // namespace
}  // namespace whence::gce
