// How near the samples of a generator are to real images, and how many of the real ones it covers; in any feature space.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <nlohmann/json_fwd.hpp>

namespace whence::models {

/// An estimate and its standard error.
struct Estimated {
  double value = 0, se = 0;
};

/// The squared Frechet distance of two normal distributions, |m1 - m2|^2 + tr(C1 + C2 - 2 (C1 C2)^(1/2)) (Dowson & Landau 1982), as
/// what is called FID is (Heusel et al. 2017). Means (F), covariances (F, F), float64.
double frechet_distance(const at::Tensor& mean1, const at::Tensor& covariance1, const at::Tensor& mean2,
                        const at::Tensor& covariance2);

/// The same between two sets of features (N, F) and (M, F), with their means and covariances. It is too large by about
/// tr(C) F / N for small sets: compare distances of equal numbers of images only. The standard error is that of the
/// jackknife over `groups` groups of rows, which leave both sets in turn (Efron & Stein 1981). Error (usage): fewer than two rows in
/// a group's rest, other numbers of features, NaN.
Estimated frechet_distance(const at::Tensor& first, const at::Tensor& second, std::int64_t groups = 20);

/// Kynkaanniemi et al. 2019, "Improved precision and recall metric for assessing generative models". A set's manifold is the union of
/// balls around its features; each reaches to the k-th nearest other feature of the set.
struct PrecisionRecall {
  Estimated precision;  ///< share of the samples within the real images' manifold: how many look real
  Estimated recall;  ///< share of the real images within the samples' manifold: how many it could have made
};
/// (N, F) and (M, F); standard errors are binomial, for fixed manifolds. Use equal numbers: a manifold grows with its set. Error
/// (usage): k features or fewer; other numbers of features; NaN.
PrecisionRecall precision_and_recall(const at::Tensor& real, const at::Tensor& samples, std::int64_t k = 3);

struct SampleQuality {
  Estimated frechet, precision, recall;
  std::int64_t images = 0;  ///< of each set
};
/// The three with equal numbers of both: the first rows of the larger set.
SampleQuality sample_quality(const at::Tensor& real, const at::Tensor& samples);

/// {"frechet": {"value", "se"}, "precision", "recall", "images"}
nlohmann::json to_json(const SampleQuality& quality);

}  // namespace whence::models
