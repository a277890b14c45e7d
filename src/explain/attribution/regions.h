// Images cut into square regions.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace whence::attribution {

/// The side of a region in pixels: `asked` or, where it is 0, a seventh of the images' shorter side, but at least 4.
std::int64_t side_of(const at::Tensor& images, std::int64_t asked);
/// For each pixel the region that it is in, (H, W), int64. Regions at the lower and right edge may be smaller.
at::Tensor regions_of(const at::Tensor& x, std::int64_t patch);

std::int64_t count_of(const at::Tensor& regions);

}  // namespace whence::attribution
