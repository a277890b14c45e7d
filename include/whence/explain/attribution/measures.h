// A measure of attributions: how fast a score falls when what they call important is taken out of the image.
#pragma once

#include "whence/explain/attribution/attribution.h"

namespace whence::attribution {

struct PerturbationOptions {
  std::int64_t patch = 4;  ///< side of the square regions that are taken out, pixels
  double share = 1;        ///< of the regions that are taken out at the end
  double fill = 0;         ///< what comes in their place, in [0, 1]
};

struct PerturbationCurve {
  at::Tensor scores;  ///< f with the 0, 1, 2, ... most relevant regions taken out, (N, steps + 1)
  /// The area over the curve, (N): the mean over the steps 0 .. of f(x) - f(x with so many regions taken out) (Samek et al. 2017,
  /// equation 12, before its mean over images). Larger is better, beside what a random order gives: images with holes are not
  /// images of the data, and any order lowers the score.
  at::Tensor area;
};

/// MoRF: the most relevant regions first; a region's relevance is the sum of its values (Samek et al. 2017, section III.A).
/// values: like x. Regions at the lower and right edge may be smaller. Errors (usage): a patch below 1, a share outside of (0, 1].
PerturbationCurve perturbation_curve(const models::Classifier& classifier, const at::Tensor& x,
                                     const at::Tensor& target, const at::Tensor& values, Score score,
                                     const PerturbationOptions& options);

}  // namespace whence::attribution
