#include <cmath>
#include <numbers>

#include "explain/attribution/score.h"
#include "whence/core/error.h"
#include "whence/explain/attribution/gradients.h"

namespace whence::attribution {
namespace {

struct Point {
  double place, weight;  ///< in 0 .. 1; the weights sum to 1
};

/// Point i of n of the Gauss-Legendre rule: a root of the Legendre polynomial by Newton's method from Tricomi's estimate.
Point legendre_point(std::int64_t i, std::int64_t n) {
  const auto degree = static_cast<double>(n);
  double root = std::cos(std::numbers::pi * (static_cast<double>(i) + 0.75) / (degree + 0.5)), slope = 0;
  for (int round = 0; round < 20; ++round) {
    double before = 0, value = 1;  // P(k - 1) and P(k), by Bonnet's recursion
    for (std::int64_t k = 0; k < n; ++k) {
      const auto order = static_cast<double>(k);
      const double next = ((2 * order + 1) * root * value - order * before) / (order + 1);
      before = value;
      value = next;
    }
    slope = degree * (root * value - before) / (root * root - 1);
    const double change = value / slope;
    root -= change;
    if (std::abs(change) < 1e-15) break;
  }
  return {0.5 * (1 + root), 1 / ((1 - root * root) * slope * slope)};
}

at::Tensor baseline_for(const at::Tensor& x, const at::Tensor& given) {
  if (!given.defined()) return at::zeros_like(x);
  const bool fits = given.sizes() == x.sizes() || given.sizes() == x.sizes().slice(1);
  if (!fits) fail_usage("the baseline of integrated gradients must have an image's shape");
  return given.to(x.scalar_type()).expand_as(x);
}

}  // namespace

Attribution integrated_gradients(const models::Classifier& classifier, const at::Tensor& x,
                                 const at::Tensor& target, Score score, const IntegratedGradients& options) {
  if (options.steps < 1) fail_usage("integrated gradients need at least 1 step, not {}", options.steps);
  const at::Tensor baseline = baseline_for(x, options.baseline), way = x - baseline;
  at::Tensor mean = at::zeros_like(x);
  for (std::int64_t i = 0; i < options.steps; ++i) {
    const Point point = legendre_point(i, options.steps);
    mean += point.weight * score_gradient(classifier, baseline + point.place * way, target, score).gradient;
  }
  const at::Tensor values = way * mean, scores = scores_of(classifier, x, target, score);
  const at::Tensor gain = scores - scores_of(classifier, baseline, target, score);
  return {values, scores, values.to(at::kDouble).flatten(1).sum(1) - gain};
}

}  // namespace whence::attribution
