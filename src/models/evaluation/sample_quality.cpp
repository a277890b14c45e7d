#include "whence/models/evaluation/sample_quality.h"

#include <nlohmann/json.hpp>

#include "whence/core/error.h"
#include "whence/platform/interrupt.h"

namespace whence::models {
namespace {

void check_features(const at::Tensor& first, const at::Tensor& second, std::int64_t least) {
  TORCH_CHECK(first.dim() == 2 && second.dim() == 2, "features are (N, F), got ", first.sizes(), " and ",
              second.sizes());
  if (first.size(1) != second.size(1))
    fail_usage("the sets have {} and {} features; take both from the same layer of the same classifier",
               first.size(1), second.size(1));
  if (std::min(first.size(0), second.size(0)) < least)
    fail_usage("sets of {} and {} images are too small to be compared; {} of each are the least",
               first.size(0), second.size(0), least);
  if (!first.isfinite().all().item<bool>() || !second.isfinite().all().item<bool>())
    fail("the features of some images are not finite numbers; check the generator's images");
}

/// Sums from which mean and covariance follow, also without some of the rows.
struct Moments {
  std::int64_t count;
  at::Tensor sum, products;

  explicit Moments(const at::Tensor& rows)
      : count(rows.size(0)), sum(rows.sum(0)), products(at::matmul(rows.t(), rows)) {}
  Moments(const Moments& whole, const Moments& left_out)
      : count(whole.count - left_out.count),
        sum(whole.sum - left_out.sum),
        products(whole.products - left_out.products) {}

  at::Tensor mean() const { return sum / static_cast<double>(count); }
  at::Tensor covariance() const {
    return (products - at::outer(sum, mean())) / static_cast<double>(count - 1);
  }
};

double distance_of(const Moments& a, const Moments& b) {
  return frechet_distance(a.mean(), a.covariance(), b.mean(), b.covariance());
}

/// Every `groups`-th row from `group` on.
at::Tensor rows_of(const at::Tensor& features, std::int64_t group, std::int64_t groups) {
  return features.index_select(
      0, at::arange(group, features.size(0), groups, features.options().dtype(at::kLong)));
}

Estimated share_of(const at::Tensor& hits) {
  const double count = static_cast<double>(hits.numel());
  const double share = hits.to(at::kDouble).mean().item<double>();
  return {share, std::sqrt(share * (1 - share) / count)};
}

constexpr std::int64_t kRowsAtOnce = 500;

/// Of each row of `queries`, whether one of the balls around `centres` holds it.
at::Tensor within(const at::Tensor& queries, const at::Tensor& centres, const at::Tensor& radii) {
  std::vector<at::Tensor> all;
  for (const at::Tensor& some : queries.split(kRowsAtOnce)) {
    throw_if_interrupted();
    all.push_back(at::cdist(some, centres).le(radii.unsqueeze(0)).any(1));
  }
  return at::cat(all);
}

/// Of each row, the distance to its k-th nearest other one.
at::Tensor radii_of(const at::Tensor& features, std::int64_t k) {
  std::vector<at::Tensor> all;
  for (const at::Tensor& some : features.split(kRowsAtOnce)) {
    throw_if_interrupted();
    // Its own distance, 0, comes first.
    all.push_back(std::get<0>(at::cdist(some, features).topk(k + 1, 1, /*largest=*/false)).select(1, k));
  }
  return at::cat(all);
}

nlohmann::json to_json(const Estimated& estimate) { return {{"value", estimate.value}, {"se", estimate.se}}; }

}  // namespace

double frechet_distance(const at::Tensor& mean1, const at::Tensor& covariance1, const at::Tensor& mean2,
                        const at::Tensor& covariance2) {
  // tr (C1 C2)^(1/2) is the sum of the roots of the eigenvalues of C1^(1/2) C2 C1^(1/2), which is symmetric.
  const auto [values, vectors] = at::linalg_eigh(covariance1);
  const at::Tensor root = at::matmul(vectors * values.clamp_min(0).sqrt(), vectors.t());
  const at::Tensor middle = at::matmul(at::matmul(root, covariance2), root);
  const at::Tensor roots = at::linalg_eigvalsh((middle + middle.t()) / 2).clamp_min(0).sqrt();
  const at::Tensor distance =
      (mean1 - mean2).square().sum() + covariance1.trace() + covariance2.trace() - 2 * roots.sum();
  return std::max(0.0, distance.item<double>());
}

Estimated frechet_distance(const at::Tensor& first, const at::Tensor& second, std::int64_t groups) {
  groups = std::min({groups, first.size(0), second.size(0)});
  check_features(first, second, 4);
  const at::Tensor a = first.to(at::kCPU, at::kDouble), b = second.to(at::kCPU, at::kDouble);
  const Moments all_a(a), all_b(b);
  std::vector<double> without;  // one group each
  for (std::int64_t group = 0; group < groups; ++group)
    without.push_back(distance_of({all_a, Moments(rows_of(a, group, groups))},
                                  {all_b, Moments(rows_of(b, group, groups))}));
  const at::Tensor values = at::tensor(without, a.options());
  const double spread = (values - values.mean()).square().mean().item<double>();
  return {distance_of(all_a, all_b), std::sqrt(static_cast<double>(groups - 1) * spread)};
}

PrecisionRecall precision_and_recall(const at::Tensor& real, const at::Tensor& samples, std::int64_t k) {
  TORCH_CHECK(k >= 1, "precision_and_recall: k is ", k);
  check_features(real, samples, k + 1);
  return {share_of(within(samples, real, radii_of(real, k))),
          share_of(within(real, samples, radii_of(samples, k)))};
}

SampleQuality sample_quality(const at::Tensor& real, const at::Tensor& samples) {
  const std::int64_t count = std::min(real.size(0), samples.size(0));
  const at::Tensor a = real.narrow(0, 0, count), b = samples.narrow(0, 0, count);
  const PrecisionRecall shares = precision_and_recall(a, b);
  return {frechet_distance(a, b), shares.precision, shares.recall, count};
}

nlohmann::json to_json(const SampleQuality& quality) {
  return {{"frechet", to_json(quality.frechet)},
          {"precision", to_json(quality.precision)},
          {"recall", to_json(quality.recall)},
          {"images", quality.images}};
}

}  // namespace whence::models
