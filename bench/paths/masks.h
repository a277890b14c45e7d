// What the closed form of a path mask loses against the optimization, and what other masks of the same area gain.
#pragma once

#include <cstdint>
#include <vector>

#include "whence/explain/attribution/path_mask.h"

namespace whence::bench {

struct MaskStudy {
  std::int64_t images = 0;
  double optimised_area = 0, optimised_gain = 0;     ///< as published; means over images
  double closed_gain = 0;                            ///< of the closed form at each image's optimised area
  double ratio = 0;                                  ///< closed_gain / optimised_gain
  double optimised_seconds = 0, closed_seconds = 0;  ///< an image
  double linearity_error = 0, worst_linearity = 0;   ///< median and 95 % quantile, at the study's area
  /// Gain at the study's area of masks that are made from ...
  double path_gain = 0;        ///< integrated gradients along the path
  double straight_gain = 0;    ///< integrated gradients along the straight line from the morph
  double black_gain = 0;       ///< integrated gradients from black
  double difference_gain = 0;  ///< |image - morph|
  double random_gain = 0;      ///< noise
};

/// How the mask is optimised that the closed form is compared with; 0 iterations: not at all.
struct Rival {
  std::int64_t iterations = 3000;
  double learning_rate = 1e-3;
  std::int64_t every = 1;  ///< 4: it sees every fourth image of a path; gains are those on whole paths
};
/// images: (n, C, H, W).
MaskStudy study_masks(const models::Classifier& classifier, const at::Tensor& images,
                      const attribution::Options& options, double area, const Rival& rival);

/// The area of the published mask while it is optimised: after each number of iterations, the mean over images.
std::vector<double> areas_while_optimised(const models::Classifier& classifier, const at::Tensor& images,
                                          const attribution::Options& options,
                                          const std::vector<std::int64_t>& iterations);

}  // namespace whence::bench
