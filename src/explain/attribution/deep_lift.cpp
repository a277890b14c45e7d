#include "whence/explain/attribution/deep_lift.h"

#include "explain/attribution/quadrature.h"
#include "explain/attribution/walk.h"

namespace whence::attribution {
namespace {

/// Points on the way between the logits.
constexpr std::int64_t kPoints = 64;

/// The mean of df/dlogits on the straight way from `before` to `after`: exact for logits, whose slope is the same everywhere.
at::Tensor mean_slope(const at::Tensor& before, const at::Tensor& after, const at::Tensor& target,
                      Score score) {
  if (score == Score::logit) return start_with_one(after, target, score);
  at::Tensor sum = at::zeros_like(after);
  for (std::int64_t i = 0; i < kPoints; ++i) {
    const Point point = legendre_point(i, kPoints);
    sum = sum + point.weight * start_with_gradient(before + point.place * (after - before), target, score);
  }
  return sum;
}

/// Some images' baselines; one where all of them have the same.
at::Tensor rows_of(const at::Tensor& baseline, std::int64_t first, std::int64_t count) {
  return baseline.stride(0) == 0 ? baseline.narrow(0, 0, 1) : baseline.narrow(0, first, count);
}

}  // namespace

Attribution deep_lift(const Request& request, const Options& options) {
  const nn::Network& network = *request.classifier.network();
  const nn::LayerId output = network.outputs().front();
  const nn::Execution how{.precision = request.classifier.precision()};
  const at::Tensor& x = request.x;
  const at::Tensor baseline = baseline_of(request, options, options.of<DeepLift>().level);
  const at::Tensor values = at::empty_like(x), scores = at::empty({x.size(0)}, x.options()),
                   scores_before = at::empty_like(scores);
  in_passes(request.classifier, x.size(0), options.batch, [&](std::int64_t first, std::int64_t count) {
    const at::NoGradGuard no_grad;
    const at::Tensor own = x.narrow(0, first, count), from = rows_of(baseline, first, count),
                     target = request.target.narrow(0, first, count);
    const std::vector<at::Tensor> activations = network.activations(own, how),
                                  baselines = network.activations(from.contiguous(), how);
    const at::Tensor &after = activations[output], before = baselines[output].expand_as(after);
    const nn::Relevance multipliers = network.walk_back(
        activations, {output, mean_slope(before, after, target, options.score)}, nn::rescale_rule(baselines));
    values.narrow(0, first, count).copy_(multipliers.input() * (own - from));
    scores.narrow(0, first, count).copy_(of_target(after, target, options.score));
    scores_before.narrow(0, first, count).copy_(of_target(before, target, options.score));
  });
  return {values, scores, excess(values, scores - scores_before), {}};
}

}  // namespace whence::attribution
