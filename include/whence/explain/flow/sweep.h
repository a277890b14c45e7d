// Latent sweeps: what changes in the image, and in the classifier's answer, when one factor moves.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "whence/models/roles.h"

namespace whence::flow {

struct Sweep {
  std::int64_t factor = 0;
  std::vector<double> values;  ///< added to the factor
  at::Tensor images;           ///< float32 (samples, steps, C, H, W)
  at::Tensor probabilities;    ///< float32 (samples, steps, M)
};

/// Adds each of `values` to latent `factor` of each of `codes` (n, D), decodes and classifies.
Sweep sweep(const models::Decoder& decoder, const models::Classifier& classifier, const at::Tensor& codes,
            std::int64_t factor, const std::vector<double>& values);

/// `steps` values evenly from `first` to `last`.
std::vector<double> even_steps(double first, double last, std::int64_t steps);

}  // namespace whence::flow
