#include "whence/core/filters.h"

#include <ATen/ATen.h>

#include <cmath>

namespace whence {

at::Tensor gaussian_window(double deviation, std::int64_t reach, const at::TensorOptions& options) {
  const at::Tensor place = at::arange(-reach, reach + 1, options.dtype(at::kDouble)) / deviation;
  const at::Tensor bell = (-0.5 * place.square()).exp();
  return (bell / bell.sum()).to(options.dtype());
}

at::Tensor gaussian_blur(const at::Tensor& x, double deviation) {
  const auto reach = static_cast<std::int64_t>(std::ceil(3 * deviation));
  const at::Tensor window = gaussian_window(deviation, reach, x.options());
  // A channel at a time, as images of one.
  const at::Tensor padded = at::replication_pad2d(x, {reach, reach, reach, reach}).flatten(0, 1).unsqueeze(1);
  const at::Tensor along = at::conv2d(padded, window.view({1, 1, 1, -1}));
  return at::conv2d(along, window.view({1, 1, -1, 1})).view(x.sizes());
}

}  // namespace whence
