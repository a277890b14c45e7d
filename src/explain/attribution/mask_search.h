// Masks that are looked for, image by image and many at a time.
#pragma once

#include <functional>

#include "explain/attribution/passes.h"

namespace whence::attribution {

/// What a search lowers: each image's own cost (N) of its values (N, 1, h, w), differentiable.
using MaskCost = std::function<at::Tensor(const at::Tensor& values, std::int64_t step)>;

/// Adam (Kingma and Ba 2015) on values that stay in [0, 1]. Each value moves by itself, so an image's do not depend on the others.
/// Hears interruptions between steps.
at::Tensor least_cost(const at::Tensor& start, std::int64_t iterations, double rate, const MaskCost& cost);

/// The masks of all images of the request, with their scores: search(first, count) returns those of some, (count, 1, H, W).
Attribution searched_masks(const Request& request, const Options& options,
                           const std::function<at::Tensor(std::int64_t first, std::int64_t count)>& search);

}  // namespace whence::attribution
