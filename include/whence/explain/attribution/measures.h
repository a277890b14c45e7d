// Measures of attributions: which of several maps tells more about the classifier.
#pragma once

#include <memory>
#include <span>

#include "whence/core/progress.h"
#include "whence/explain/attribution/method.h"

namespace whence::attribution {

/// What comes in the place of a region that is taken out.
enum class Replacement {
  constant,  ///< PerturbationOptions::fill
  mean,      ///< the mean of each channel of the image
  blur,      ///< the image behind a Gaussian filter whose deviation is the side of a region
  /// Noisy linear imputation (Rong et al. 2022, "ROAD"): each missing pixel is the weighted mean of its neighbours, plus N(0, 0.01^2). The
  /// shape of what is missing tells the classifier less than holes do.
  imputation,
  /// What a generative model makes of the rest: the image is filled by linear imputation, and five times replaced by its
  /// reconstruction where it is missing (after Rezende, Mohamed and Wierstra 2014, appendix F).
  generator
};
std::string_view name_of(Replacement replacement);

/// Which regions are taken out first.
enum class RemovalOrder { most_relevant_first, least_relevant_first };

struct PerturbationOptions {
  std::int64_t patch =
      0;  ///< side of the square regions that are taken out, pixels; 0: a seventh of the shorter side, at least 4
  double share = 1;  ///< of the regions that are taken out at the end
  Replacement replacement = Replacement::constant;
  double fill = 0;                                                        ///< the constant, in [0, 1]
  std::shared_ptr<const counterfactual::ImageModel> generator = nullptr;  ///< of Replacement::generator
  RemovalOrder order = RemovalOrder::most_relevant_first;
  std::int64_t batch = kRowsAtOnce;
  std::int64_t subsets = 40;  ///< random sets of regions that are taken out, for sensitivity_n and infidelity
  std::int64_t noise_draws = 3;    ///< noisy copies of each image, for max_sensitivity
  double noise = 0.02;             ///< largest change of a value in them
  std::uint64_t seed = 0;          ///< of the draws; all images and methods see the same
  ProgressCallback progress = {};  ///< told after each step; may throw to stop the work
};

struct PerturbationCurve {
  at::Tensor scores;  ///< f with the first 0, 1, 2, ... regions taken out, (N, steps + 1)
  /// The area over the curve, (N): the mean over the steps 0 .. of f(x) - f(x with so many regions taken out) (Samek et al. 2017,
  /// equation 12, before its mean over images).
  at::Tensor area;
};

/// A region's relevance is the sum of its values (Samek et al. 2017, section III.A). values: like x, or (N, 1, H, W). Regions at the
/// lower and right edge may be smaller. Regions of equal relevance keep their order. Errors (usage): a negative patch, a share
/// outside of (0, 1], no generator where it is to replace.
PerturbationCurve perturbation_curve(const models::Classifier& classifier, const at::Tensor& x,
                                     const at::Tensor& target, const at::Tensor& values, Score score,
                                     const PerturbationOptions& options);

/// Maps, and how they were made.
struct Judged {
  const models::Classifier& classifier;
  at::Tensor x, target;
  at::Tensor values;  ///< like x, or (N, 1, H, W)
  Score score = Score::logit;
  const Method* method = nullptr;  ///< null: by no method, such as a random order
  const Options* options = nullptr;
};

/// A number for each map. It means something beside what a random order and an edge filter get: images with holes are not images of
/// the data, and any order lowers the score.
struct Measure {
  std::string_view name;     ///< "morf"
  std::string_view title;    ///< "area over the MoRF curve"
  std::string_view meaning;  ///< one sentence
  std::string_view source;   ///< author and year
  bool larger_is_better;
  /// (N); undefined where it cannot be measured: maps of no method, layers that are unknown, no draws.
  at::Tensor (*compute)(const Judged& judged, const PerturbationOptions& options);
};

std::span<const Measure> measures();
/// Error (usage): no such measure; names the nearest.
const Measure& measure(std::string_view name);

}  // namespace whence::attribution
