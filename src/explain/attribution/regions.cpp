#include "explain/attribution/regions.h"

namespace whence::attribution {

std::int64_t side_of(const at::Tensor& images, std::int64_t asked) {
  constexpr std::int64_t across = 7, least = 4;
  return asked > 0 ? asked : std::max(least, std::min(images.size(2), images.size(3)) / across);
}

at::Tensor regions_of(const at::Tensor& x, std::int64_t patch) {
  const at::TensorOptions integer_options = x.options().dtype(at::kLong);
  const at::Tensor row = at::arange(x.size(2), integer_options).div(patch, "floor");
  const at::Tensor column = at::arange(x.size(3), integer_options).div(patch, "floor");
  const std::int64_t across = (x.size(3) + patch - 1) / patch;
  return row.unsqueeze(1) * across + column;
}

std::int64_t count_of(const at::Tensor& regions) { return regions.max().item<std::int64_t>() + 1; }

}  // namespace whence::attribution
