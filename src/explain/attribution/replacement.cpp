// What comes in the place of a region that is taken out.
#include "explain/attribution/judgements.h"

namespace whence::attribution {
namespace {

/// Behind a Gaussian filter of this deviation, edges repeated.
at::Tensor blurred(const at::Tensor& x, double deviation) {
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

}  // namespace

at::Tensor replacement_of(const at::Tensor& x, const PerturbationOptions& options) {
  if (options.replacement == Replacement::mean) return x.mean({2, 3}, true).expand_as(x);
  if (options.replacement == Replacement::blur) return blurred(x, static_cast<double>(options.patch));
  return at::full_like(x, options.fill);
}

}  // namespace whence::attribution
