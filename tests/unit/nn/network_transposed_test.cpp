// Sub-pixel execution of transposed convolutions against LibTorch's own, in float64.
#include <torch/csrc/autograd/autograd.h>

#include "nn/ops/subpixel.h"
#include "unit/nn/network_support.h"

namespace whence::nn {
namespace {

TEST(TransposedConvolution, IsExactForEveryGeometry) {
  Generator generator = make_generator(2, "test");
  int cases = 0;
  for (std::int64_t kernel = 1; kernel <= 5; ++kernel) {
    for (std::int64_t stride = 1; stride <= 4; ++stride) {
      for (std::int64_t padding = 0; padding <= 4; ++padding) {
        for (std::int64_t output_padding = 0; output_padding < stride; ++output_padding) {
          for (std::int64_t height = 1; height <= 5; ++height) {
            const std::int64_t width = 6 - height + kernel % 2;
            const std::int64_t smaller = std::min(height, width);
            if ((smaller - 1) * stride - 2 * padding + kernel + output_padding < 1) continue;
            const Tensor x = test_support::randn64({2, 3, height, width}, generator);
            const Tensor weight = test_support::randn64({3, 2, kernel, kernel}, generator);
            const Tensor bias = test_support::randn64({2}, generator);
            const Tensor ours =
                subpixel_convolution(x, weight, bias, {2, kernel, stride, padding, output_padding});
            const Tensor truth =
                at::conv_transpose2d(x, weight, bias, stride, padding, at::IntArrayRef(output_padding));
            ASSERT_LT(test_support::largest_difference(ours, truth), 1e-12)
                << "kernel " << kernel << " stride " << stride << " padding " << padding << " output padding "
                << output_padding << " input " << height << "x" << width;
            ++cases;
          }
        }
      }
    }
  }
  EXPECT_GT(cases, 800);
}

TEST(TransposedConvolution, HasTheSameGradients) {
  Generator generator = make_generator(3, "test");
  const ConvTranspose2d geometries[] = {{2, 4, 1, 1}, {2, 4, 2, 2}, {1, 4, 2, 1},    {2, 3, 2, 1, 1},
                                        {2, 5, 3, 0}, {2, 2, 3, 1}, {2, 3, 4, 0, 3}, {2, 5, 2, 4}};
  for (const ConvTranspose2d& op : geometries) {
    const Tensor x = test_support::randn64({2, 3, 5, 4}, generator).set_requires_grad(true);
    const Tensor weight =
        test_support::randn64({3, op.channels, op.kernel, op.kernel}, generator).set_requires_grad(true);
    const Tensor bias = test_support::randn64({op.channels}, generator).set_requires_grad(true);
    const Tensor ours = subpixel_convolution(x, weight, bias, op);
    const Tensor truth =
        at::conv_transpose2d(x, weight, bias, op.stride, op.padding, at::IntArrayRef(op.output_padding));
    const Tensor cotangent = test_support::randn64(truth.sizes(), generator);
    const auto gradients = torch::autograd::grad({ours}, {x, weight, bias}, {cotangent});
    const auto expected = torch::autograd::grad({truth}, {x, weight, bias}, {cotangent});
    for (std::size_t i = 0; i < expected.size(); ++i) {
      EXPECT_LT(test_support::largest_difference(gradients[i], expected[i]), 1e-12) << "gradient " << i;
    }
  }
}

}  // namespace
}  // namespace whence::nn
