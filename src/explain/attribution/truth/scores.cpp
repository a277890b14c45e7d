#include "whence/core/error.h"
#include "whence/core/names.h"
#include "whence/explain/attribution/truth.h"

namespace whence::attribution {
namespace {

at::Tensor magnitudes_of(const at::Tensor& maps) { return maps.to(at::kDouble).abs().flatten(1); }
/// Rows that sum to 1; a row of zeros stays one.
at::Tensor as_shares(const at::Tensor& sizes) {
  return sizes / sizes.sum(1, true).clamp_min(std::numeric_limits<double>::min());
}

/// Of values that are equal at the border each has the same chance to be among the top, but values of 0 are never there.
at::Tensor top_precision(const at::Tensor& maps, const at::Tensor& truth) {
  const at::Tensor sizes = magnitudes_of(maps), marked = (truth.flatten(1) > 0).to(at::kDouble);
  const at::Tensor sorted = std::get<0>(sizes.sort(1, /*descending=*/true));
  const at::Tensor count = marked.sum(1, true);
  const at::Tensor border = sorted.gather(1, (count.to(at::kLong) - 1).clamp_min(0));
  const at::Tensor above = (sizes > border).to(at::kDouble);
  const at::Tensor equal = (sizes == border).logical_and(sizes > 0).to(at::kDouble);
  const at::Tensor places = count - above.sum(1, true);
  const at::Tensor chance = places / equal.sum(1, true).clamp_min(1);
  return ((above + equal * chance.clamp_max(1)) * marked).sum(1) / count.squeeze(1);
}

at::Tensor transport_score(const at::Tensor& maps, const at::Tensor& truth) {
  const double diagonal =
      std::hypot(static_cast<double>(maps.size(2) - 1), static_cast<double>(maps.size(3) - 1));
  const at::Tensor all = at::empty({maps.size(0)}, maps.options().dtype(at::kDouble));
  for (std::int64_t i = 0; i < maps.size(0); ++i) {
    const double moved = transport_distance(maps[i][0].abs(), truth[i][0]);
    all[i].fill_(std::isnan(moved) ? 0.0 : 1 - moved / diagonal);
  }
  return all;
}

at::Tensor overlap(const at::Tensor& maps, const at::Tensor& truth) {
  return at::minimum(as_shares(magnitudes_of(maps)), as_shares(magnitudes_of(truth))).sum(1);
}

at::Tensor share_outside(const at::Tensor& maps, const at::Tensor& truth) {
  return (as_shares(magnitudes_of(maps)) * (truth.flatten(1) <= 0)).sum(1);
}

at::Tensor positive_share(const at::Tensor& maps, const at::Tensor& truth) {
  const at::Tensor shares = as_shares(maps.to(at::kDouble).clamp_min(0).flatten(1));
  return (shares * (truth.flatten(1) > 0)).sum(1);
}

constexpr TruthScore kScores[] = {
    {.name = "precision",
     .title = "precision of the top pixels",
     .meaning = "Of as many pixels as there are true ones, those with the largest values, the share that is "
                "true.",
     .source = "Clark, Wilming and Haufe 2024",
     .larger_is_better = true,
     .compute = top_precision},
    {.name = "transport",
     .title = "nearness to the true pixels",
     .meaning = "1 less the earth mover's distance from the map's sizes to the true pixels, in diagonals of "
                "the image.",
     .source = "Clark, Wilming and Haufe 2024",
     .larger_is_better = true,
     .compute = transport_score},
    {.name = "overlap",
     .title = "overlap with the true map",
     .meaning = "The sum over pixels of the smaller of the two shares that the map and the truth give the "
                "pixel; 1 where they agree.",
     .source = "",
     .larger_is_better = true,
     .compute = overlap},
    {.name = "outside",
     .title = "share outside of the cell",
     .meaning = "The share of the map's sizes that lies on pixels that cannot matter.",
     .source = "Rao, Böhle and Schiele 2022",
     .larger_is_better = false,
     .compute = share_outside},
    {.name = "localization",
     .title = "localization",
     .meaning = "The share of the positive values that lies inside the cell of the explained class.",
     .source = "Böhle, Fritz and Schiele 2021",
     .larger_is_better = true,
     .compute = positive_share},
};

}  // namespace

std::span<const TruthScore> truth_scores() { return kScores; }

const TruthScore& truth_score(std::string_view name) {
  std::vector<std::string_view> names;
  for (const TruthScore& each : truth_scores()) {
    if (each.name == name) return each;
    names.push_back(each.name);
  }
  fail_usage("there is no score of truth '{}'{}; the scores are {}", name, did_you_mean(name, names),
             fmt::join(names, ", "));
}

}  // namespace whence::attribution
