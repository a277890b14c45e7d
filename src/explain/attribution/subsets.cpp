// Measures by random sets of regions: does the relevance of a set tell how far the score falls without it?
#include "explain/attribution/judgements.h"
#include "explain/attribution/regions.h"
#include "explain/attribution/removal.h"
#include "whence/core/random.h"
#include "whence/platform/device.h"

namespace whence::attribution {
namespace {

constexpr double kShares[] = {0.05, 0.1, 0.2, 0.4, 0.8};

/// Of sets of one size.
struct Falls {
  at::Tensor relevance, fall;  ///< float64 (sets, N)
};

/// Which regions are in each of `sets` random sets of `size`, bool (sets, regions).
at::Tensor draw_sets(std::int64_t sets, std::int64_t size, std::int64_t regions, at::Generator& generator) {
  const at::Tensor order = at::rand({sets, regions}, generator, draws_of(generator, at::kDouble))
                               .argsort(1, false)
                               .argsort(1, false);
  return order < size;
}

Falls falls_of(const Judged& judged, const at::Tensor& regions, const at::Tensor& sets,
               const Removal& removal, const PerturbationOptions& options) {
  const at::Tensor whole =
      scores_of(judged.classifier, judged.x, judged.target, judged.score, options.batch).to(at::kDouble);
  const at::Tensor maps = judged.values.to(at::kDouble).sum(1);
  std::vector<at::Tensor> relevance, fall;
  for (std::int64_t i = 0; i < sets.size(0); ++i) {
    const at::Tensor removed =
        sets[i].to(judged.x.device()).index_select(0, regions.flatten()).view(regions.sizes());
    relevance.push_back((maps * removed).sum({1, 2}));
    const at::Tensor rest = removal.without(removed.view({1, 1, removed.size(0), removed.size(1)}));
    fall.push_back(
        whole -
        scores_of(judged.classifier, rest, judged.target, judged.score, options.batch).to(at::kDouble));
  }
  return {at::stack(relevance), at::stack(fall)};
}

std::vector<Falls> all_falls(const Judged& judged, const PerturbationOptions& options) {
  check_maps(judged.x, judged.values, options);
  const at::NoGradGuard no_grad;
  Generator generator = make_generator(options.seed, "attribution/subsets");
  const at::Tensor regions = regions_of(judged.x, side_of(judged.x, options.patch));
  const Removal removal(judged.x, options);
  const std::int64_t count = count_of(regions), groups = std::ssize(kShares);
  std::vector<Falls> all;
  for (const double share : kShares) {
    const auto size = std::max<std::int64_t>(1, std::llround(share * static_cast<double>(count)));
    const at::Tensor sets =
        draw_sets(std::max<std::int64_t>(2, options.subsets / groups), size, count, generator);
    all.push_back(falls_of(judged, regions, sets, removal, options));
  }
  return all;
}

/// Over the first dimension; 0 where one side is constant.
at::Tensor correlation(const at::Tensor& a, const at::Tensor& b) {
  const at::Tensor x = a - a.mean(0), y = b - b.mean(0);
  const at::Tensor size = (x.square().sum(0) * y.square().sum(0)).sqrt();
  return at::where(size > 0, (x * y).sum(0) / size.clamp_min(1e-300), at::zeros_like(size));
}

}  // namespace

at::Tensor sensitivity_n(const Judged& judged, const PerturbationOptions& options) {
  if (options.subsets == 0) return {};
  std::vector<at::Tensor> of_sizes;
  for (const Falls& falls : all_falls(judged, options))
    of_sizes.push_back(correlation(falls.relevance, falls.fall));
  return at::stack(of_sizes).mean(0);
}

at::Tensor infidelity(const Judged& judged, const PerturbationOptions& options) {
  if (options.subsets == 0) return {};
  std::vector<at::Tensor> relevances, all;
  for (const Falls& falls : all_falls(judged, options)) {
    relevances.push_back(falls.relevance);
    all.push_back(falls.fall);
  }
  // The least of the mean squares of fall - scale * relevance over all scales, as a share of the mean square of the fall.
  const at::Tensor relevance = at::cat(relevances), fall = at::cat(all);
  const at::Tensor squares = relevance.square().sum(0) * fall.square().sum(0);
  const at::Tensor explained = (relevance * fall).sum(0).square() / squares.clamp_min(1e-300);
  return at::where(squares > 0, 1 - explained, at::ones_like(explained));
}

}  // namespace whence::attribution
