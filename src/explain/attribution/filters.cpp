#include "explain/attribution/filters.h"

#include <ATen/ATen.h>

#include <cmath>

namespace whence::attribution {

at::Tensor blurred_images(const at::Tensor& x, double deviation) {
  const auto radius = static_cast<std::int64_t>(std::ceil(3 * deviation));
  const at::Tensor place = at::arange(-radius, radius + 1, x.options().dtype(at::kDouble));
  const at::Tensor bell = (-0.5 * (place / deviation).square()).exp();
  const at::Tensor kernel = (bell / bell.sum()).to(x.scalar_type());
  // A channel at a time, as images of one.
  const at::Tensor padded =
      at::replication_pad2d(x, {radius, radius, radius, radius}).flatten(0, 1).unsqueeze(1);
  const at::Tensor along = at::conv2d(padded, kernel.view({1, 1, 1, -1}));
  return at::conv2d(along, kernel.view({1, 1, -1, 1})).view(x.sizes());
}

}  // namespace whence::attribution
