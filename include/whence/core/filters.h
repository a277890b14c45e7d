// The Gaussian filter of images.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace whence {

/// exp(-i^2 / (2 deviation^2)) for i = -reach .. reach, divided by its sum; (2 reach + 1). deviation: in pixels.
at::Tensor gaussian_window(double deviation, std::int64_t reach, const at::TensorOptions& options);

/// Images (N, C, H, W), each channel by itself; cut off at three deviations, edges repeated. Differentiable.
at::Tensor gaussian_blur(const at::Tensor& x, double deviation);

}  // namespace whence
