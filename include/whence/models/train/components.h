// Principal components of the images of a set.
#pragma once

#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>

#include <cstdint>

#include "whence/data/dataset.h"

namespace whence::models {

/// x = mean + directions c: the linear code c = directions' (x - mean) with the least squared error on the images.
struct Components {
  at::Tensor mean;        ///< float32 (D), D = pixels times channels
  at::Tensor directions;  ///< float32 (D, k), orthonormal
  at::Tensor variances;   ///< float64 (k), of the images along them; falling
};

/// The `count` directions of the largest variance, at most D. They come from subspace iteration (Halko, Martinsson and Tropp 2011,
/// algorithm 4.4, with twice as many random columns and 6 passes over the images), so that no D x D matrix is needed;
/// the last few variances may be some thousandths too small. Errors: no images; (usage) a count below 1.
Components principal_components(const data::Dataset& images, std::int64_t count, at::Generator& generator);

/// Images (N, C, H, W) from their linear codes: the nearest images that the components can make; values may leave [0, 1].
at::Tensor reconstruct(const Components& components, const at::Tensor& images);

}  // namespace whence::models
