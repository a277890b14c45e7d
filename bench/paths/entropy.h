// The entropy study of Parafita 2018, section 4.4: does the gradient grow where the two classes of a path are ambiguous?
#pragma once

#include <cstdint>

#include "whence/data/dataset.h"
#include "whence/explain/counterfactual/image_model.h"

namespace whence::bench {

/// Pearson correlations of the entropy of a path's two classes (bits) with the gradient of the first class's probability.
struct EntropyCorrelations {
  double all_pixels = 0;  ///< |gradient| of every pixel of every step of all paths
  double all_steps = 0;   ///< its mean over pixels, of every step of all paths
  double of_a_path = 0;   ///< the same within one path; median over paths
  std::int64_t paths = 0;
};

/// `count` paths between the codes of training images and of the nearest training image of another class.
EntropyCorrelations entropy_correlations(const counterfactual::ImageModel& model,
                                         const models::Classifier& classifier, counterfactual::PathKind kind,
                                         std::int64_t count, std::int64_t steps, std::uint64_t seed);

}  // namespace whence::bench
