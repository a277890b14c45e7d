// Images cut into square regions.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace whence::attribution {

/// For each pixel the region that it is in, (H, W), int64. Regions at the lower and right edge may be smaller.
at::Tensor regions_of(const at::Tensor& x, std::int64_t patch);

std::int64_t count_of(const at::Tensor& regions);

}  // namespace whence::attribution
