// Problems whose answer is known, because they are made here: which methods find the pixels that the classifier really uses?
//
// Nothing is downloaded. Images are drawn from a seed, classifiers are written down or trained within seconds. Where a classifier is
// trained, it is explained on images that it gets right.
#pragma once

#include <limits>
#include <optional>
#include <span>

#include "whence/core/progress.h"
#include "whence/data/dataset.h"
#include "whence/explain/attribution/method.h"

namespace whence::attribution {

/// A problem that was made: a classifier, images, and which pixels its answers depend on.
struct TruthCase {
  std::unique_ptr<models::Classifier> classifier;
  at::Tensor images;  ///< (N, C, H, W)
  at::Tensor target;  ///< int64 (N), the explained class
  /// float32 (N, 1, H, W), 0 or more: how much of the answer each pixel carries. 1 for every true pixel where only their place is known.
  at::Tensor truth;
  at::Tensor references;  ///< images of the same kind, for methods that draw baselines
  /// Of the classifier on images that it was not trained on; NaN where nothing was trained.
  double accuracy = std::numeric_limits<double>::quiet_NaN();
};

/// How near a map is to the truth, (N). maps and truth: (N, 1, H, W); a map's values are summed over channels first. What a method's
/// values mean differs from method to method, so scores look at their sizes only, unless they say otherwise.
struct TruthScore {
  std::string_view name;     ///< "precision"
  std::string_view title;    ///< "precision of the top pixels"
  std::string_view meaning;  ///< one sentence
  std::string_view source;   ///< author and year; "" for our own
  bool larger_is_better;
  at::Tensor (*compute)(const at::Tensor& maps, const at::Tensor& truth);
};
std::span<const TruthScore> truth_scores();
/// Error (usage): no such score; names the nearest.
const TruthScore& truth_score(std::string_view name);

/// What moving one distribution over pixels onto another costs at least, when mass m costs m times the Euclidean distance between the
/// pixels' centres (Rubner et al. 2000). Both (H, W), 0 or more; each is divided by its sum. Exact, by successive shortest paths. The
/// second should have few pixels above 0: the time grows with their cube. NaN where one of them is 0 everywhere.
double transport_distance(const at::Tensor& from, const at::Tensor& to);

/// A value for a method's option, by its name: a problem's own baseline, or windows that fit its images.
struct OptionSetting {
  std::string_view option;  ///< "occlusion_window"
  double value;
};

/// What a problem is made from.
struct TruthRequest {
  std::int64_t images = 50;  ///< at most
  std::uint64_t seed = 0;
  /// CIFAR-10, aeroplanes, cars, frogs and horses alone; null where it is not there. All other problems need no data.
  const data::Splits* pictures = nullptr;
  ProgressCallback progress = {};
};

struct TruthProblem {
  std::string_view name;                 ///< "linear_corr"
  std::string_view title;                ///< "a T or an L in white noise"
  std::string_view meaning;              ///< what the classifier is, and what is true
  std::string_view source;               ///< author and year; "" for our own
  std::vector<std::string_view> scores;  ///< names of truth_scores(); the first stands in tables
  std::vector<OptionSetting> settings;
  /// Nothing where it needs data that are not there.
  std::optional<TruthCase> (*make)(const TruthRequest& request);
};
std::span<const TruthProblem> truth_problems();
/// Error (usage): no such problem; names the nearest.
const TruthProblem& truth_problem(std::string_view name);

/// One method's maps of one problem's images.
struct TruthResult {
  const Method* method = nullptr;  ///< null: a map by no method
  std::vector<at::Tensor>
      scores;            ///< (N) each, in the order of TruthProblem::scores; none where it was left out
  double seconds = 0;    ///< for all maps
  std::string left_out;  ///< why there is no map; else ""
  at::Tensor map;        ///< of the first image, (H, W)
};
struct TruthTrial {
  const TruthProblem* problem = nullptr;
  TruthCase made;
  std::vector<TruthResult> methods;
  TruthResult random;  ///< what a random order of the pixels gets
  TruthResult edges;   ///< what edge_filter() gets, which knows the images, but no classifier
};

/// All `methods` on one problem. `options` holds the score, the batch, the seed of draws and the methods' own options, of which the problem's
/// settings replace some. A method that the problem does not allow is left out, with a reason. Nothing where the problem needs data that
/// are not there. Errors: an interruption; a training that fails.
std::optional<TruthTrial> try_methods(const TruthProblem& problem, std::span<const Method* const> methods,
                                      const TruthRequest& request, const Options& options);

/// A map that knows the image but no classifier: how steep each pixel's surroundings are, by Sobel's filters, (N, 1, H, W).
at::Tensor edge_filter(const at::Tensor& images);

}  // namespace whence::attribution
