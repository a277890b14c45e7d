// Filters of images.
#pragma once

#include <ATen/core/Tensor.h>

namespace whence::attribution {

/// (N, C, H, W) behind a Gaussian filter of this deviation, cut off at three deviations, edges repeated.
at::Tensor blurred_images(const at::Tensor& x, double deviation);

}  // namespace whence::attribution
