// Counterfactuals: the smallest move of the causal factors that makes the classifier change its mind.
//
// For a code z = (alpha, beta), a decoder g and a classifier f:
//   minimise |d|_2  subject to  class f(g(alpha + d, beta)) = the class asked for (or any but the one before),
//                               |alpha + d| <= the radius of the search.
// beta is kept. The start is the classifier's class of the reconstruction g(z), not of the image itself. The problem is
// that of the design point of structural reliability (Hasofer & Lind 1974): the point of a limit surface that is
// nearest to the origin; Wachter, Mittelstadt & Russell (2018) ask it of classifiers.
//
// Method. Every image is tried along fixed rays, shell by shell outwards, until a shell holds the class; the boundary
// is bisected on each ray that found it, and the nearest is taken. For K >= 2 the ray is then turned towards the
// boundary's normal (Rackwitz & Fiessler 1978, damped) for as long as that shortens the move, bisecting again.
// Guarantee. K = 1: no smaller move exists, up to `tolerance`, unless it ends in a stretch of the class narrower than
// `step`. K >= 2: a local minimum; whatever is returned does change the class, so its length is an upper bound.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "whence/core/progress.h"
#include "whence/models/roles.h"

namespace whence::counterfactual {

struct CounterfactualOptions {
  std::optional<std::int64_t> to = {};  ///< the class asked for; none: any other
  double probability = 0;  ///< of the new class, at least, below 1; 0: it need only be the most probable
  /// Largest |alpha| of a counterfactual, in standard deviations of the prior; a code that is farther out already may
  /// stay as far out as it is.
  double radius = 4;
  double step = 0;                        ///< distance of neighbouring shells; 0: 0.1 for K = 1, else 0.25
  std::int64_t rays = 0;                  ///< for K >= 2; 0: 16 for K = 2, else 16 K
  double tolerance = 1e-3;                ///< to which the length of a move is found
  std::int64_t memory_bytes = 256 << 20;  ///< budget of a batch of activations
};

/// One row an image. Where no counterfactual was found, the move is zero and the distance infinite.
struct Counterfactuals {
  std::int64_t causal = 0;  ///< K
  double radius = 0;        ///< of the search
  at::Tensor codes;         ///< float32 (n, D), z
  at::Tensor move;          ///< float32 (n, K), d
  at::Tensor distance;      ///< float32 (n), |d|
  at::Tensor found;         ///< bool (n)
  at::Tensor already;       ///< bool (n): the reconstruction is of the class asked for, nothing was searched
  /// float32 (n, M): class probabilities of the image (undefined when only codes were given), of its reconstruction and
  /// of its counterfactual.
  at::Tensor original, before, after;
  at::Tensor from, to;  ///< int64 (n): class of the reconstruction, of the counterfactual

  std::int64_t size() const { return from.size(0); }
  at::Tensor moved() const;  ///< float32 (n, D): the codes with the moves added
};

/// Counterfactuals of codes (n, D); deterministic. Progress: stage "counterfactuals", one step an image. Errors (usage):
/// causal outside 1 .. D, a class that does not exist, radius, step or tolerance that are not positive, a probability
/// outside [0, 1); a classifier that returns NaN.
Counterfactuals find_counterfactuals(const models::Decoder& decoder, const models::Classifier& classifier,
                                     const at::Tensor& codes, std::int64_t causal,
                                     const CounterfactualOptions& options,
                                     const ProgressCallback& progress = {});

/// Counterfactuals of images (n, C, H, W), whose codes are the posterior means.
Counterfactuals explain_counterfactually(const models::Encoder& encoder, const models::Decoder& decoder,
                                         const models::Classifier& classifier, const at::Tensor& images,
                                         std::int64_t causal, const CounterfactualOptions& options,
                                         const ProgressCallback& progress = {});

/// What one class takes to become another.
struct ClassChange {
  std::int64_t from = 0, to = 0, images = 0;
  double median = 0;  ///< distance
};
struct CounterfactualSummary {
  std::int64_t images = 0;
  std::int64_t asked = 0;  ///< images that were not of the class already
  double flip_rate = 0,
         flip_se = 0;    ///< share of `asked` that has a counterfactual; its binomial standard error
  double agreement = 0;  ///< share of images whose reconstruction is of their own class; NaN for codes
  double radius = 0;
  std::vector<std::pair<std::string, double>> distance;  ///< "mean", "q05", "q25", "q50", "q75", "q95", "max"
  std::vector<ClassChange> changes;                      ///< those that happened, by `from`, then `to`
};
CounterfactualSummary summarise(const Counterfactuals& counterfactuals);

/// {"images", "asked", "flip_rate", "flip_rate_se", "agreement", "radius", "distance": {...}, "changes":
/// [{"from", "to", "images", "median"}]}; no "distance" when nothing was found, no "agreement" for codes alone.
nlohmann::json to_json(const CounterfactualSummary& summary, const std::vector<std::string>& class_names);

}  // namespace whence::counterfactual
