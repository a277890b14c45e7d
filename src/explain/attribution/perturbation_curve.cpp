#include "explain/attribution/judgements.h"
#include "explain/attribution/regions.h"
#include "explain/attribution/removal.h"
#include "whence/core/error.h"
#include "whence/explain/attribution/measures.h"

namespace whence::attribution {
namespace {

/// At which step each region is taken out, (N, regions): 0 for the first.
at::Tensor ranks_of(const at::Tensor& values, const at::Tensor& regions, RemovalOrder order) {
  const at::Tensor of_pixels = values.to(at::kDouble).sum(1).flatten(1);
  const at::Tensor relevance = at::zeros({values.size(0), count_of(regions)}, of_pixels.options())
                                   .index_add(1, regions.flatten(), of_pixels);
  const bool descending = order == RemovalOrder::most_relevant_first;
  return relevance.argsort(/*stable=*/true, 1, descending).argsort(1, /*descending=*/false);
}

}  // namespace

void check_maps(const at::Tensor& x, const at::Tensor& values, const PerturbationOptions& options) {
  const bool fits = values.dim() == 4 && values.size(0) == x.size(0) &&
                    (values.size(1) == x.size(1) || values.size(1) == 1) &&
                    values.sizes().slice(2) == x.sizes().slice(2);
  TORCH_CHECK(fits, "one value for each value or pixel of the images, got ", values.sizes());
  if (options.patch < 0)
    fail_usage("the side of a region is {}, but must be 1 or more, or 0 for a seventh of the image",
               options.patch);
}

RemovalSteps removal_steps(const at::Tensor& x, const at::Tensor& values,
                           const PerturbationOptions& options) {
  check_maps(x, values, options);
  if (!(options.share > 0 && options.share <= 1))
    fail_usage("the share of removed regions is {}, but must be above 0 and at most 1", options.share);
  const at::Tensor regions = regions_of(x, side_of(x, options.patch)),
                   ranks = ranks_of(values, regions, options.order);
  return {ranks.index_select(1, regions.flatten()).view({x.size(0), 1, x.size(2), x.size(3)}),
          static_cast<std::int64_t>(std::ceil(options.share * static_cast<double>(ranks.size(1)) - 1e-9))};
}

PerturbationCurve perturbation_curve(const models::Classifier& classifier, const at::Tensor& x,
                                     const at::Tensor& target, const at::Tensor& values, Score score,
                                     const PerturbationOptions& options) {
  const at::NoGradGuard no_grad;
  const RemovalSteps removed = removal_steps(x, values, options);
  const Removal removal(x, options);
  std::vector<at::Tensor> scores;
  for (std::int64_t step = 0; step <= removed.count; ++step) {
    scores.push_back(
        scores_of(classifier, removal.without(removed.of_pixel < step), target, score, options.batch));
    if (options.progress) options.progress({"removal of regions", step + 1, removed.count + 1, {}, "steps"});
  }
  const at::Tensor curve = at::stack(scores, 1);
  return {curve, (curve.narrow(1, 0, 1) - curve).mean(1)};
}

}  // namespace whence::attribution
