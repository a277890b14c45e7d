// Measures of attributions: how a score changes when regions are taken out of the image in the order of a map.
#pragma once

#include <span>

#include "whence/core/progress.h"
#include "whence/explain/attribution/attribution.h"

namespace whence::attribution {

/// Which regions are taken out first.
enum class RemovalOrder { most_relevant_first, least_relevant_first };

struct PerturbationOptions {
  std::int64_t patch = 4;  ///< side of the square regions that are taken out, pixels
  double share = 1;        ///< of the regions that are taken out at the end
  double fill = 0;         ///< what comes in their place, in [0, 1]
  RemovalOrder order = RemovalOrder::most_relevant_first;
  std::int64_t batch = kRowsAtOnce;
  ProgressCallback progress = {};  ///< told after each step; may throw to stop the work
};

struct PerturbationCurve {
  at::Tensor scores;  ///< f with the first 0, 1, 2, ... regions taken out, (N, steps + 1)
  /// The area over the curve, (N): the mean over the steps 0 .. of f(x) - f(x with so many regions taken out) (Samek et al. 2017,
  /// equation 12, before its mean over images).
  at::Tensor area;
};

/// A region's relevance is the sum of its values (Samek et al. 2017, section III.A). values: like x, or (N, 1, H, W). Regions at the
/// lower and right edge may be smaller. Regions of equal relevance keep their order. Errors (usage): a patch below 1, a share
/// outside of (0, 1].
PerturbationCurve perturbation_curve(const models::Classifier& classifier, const at::Tensor& x,
                                     const at::Tensor& target, const at::Tensor& values, Score score,
                                     const PerturbationOptions& options);

/// A number for each map. It means something beside what a random order gets: images with holes are not images of the data, and any
/// order lowers the score.
struct Measure {
  std::string_view name;     ///< "morf"
  std::string_view title;    ///< "area over the MoRF curve"
  std::string_view meaning;  ///< one sentence
  std::string_view source;   ///< author and year
  bool larger_is_better;
  /// (N), in units of f.
  at::Tensor (*compute)(const models::Classifier& classifier, const at::Tensor& x, const at::Tensor& target,
                        const at::Tensor& values, Score score, const PerturbationOptions& options);
};

std::span<const Measure> measures();
/// Error (usage): no such measure; names the nearest.
const Measure& measure(std::string_view name);

}  // namespace whence::attribution
