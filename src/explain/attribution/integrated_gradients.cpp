#include "whence/explain/attribution/integrated_gradients.h"

#include <cmath>
#include <numbers>

#include "explain/attribution/passes.h"
#include "whence/core/error.h"

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

at::Tensor baseline_for(const Request& request, const IntegratedGradients& own) {
  const at::Tensor& x = request.x;
  if (!own.baseline.defined()) return at::full_like(x, own.level);
  const at::Tensor given = own.baseline.to(x.options());
  if (given.sizes() == x.sizes().slice(1)) return given.expand_as(x);
  const bool each = given.dim() == 4 && given.sizes().slice(1) == x.sizes().slice(1) &&
                    given.size(0) >= request.first + x.size(0);
  if (!each) fail_usage("the baseline of integrated gradients must have an image's shape");
  return given.narrow(0, request.first, x.size(0));
}

}  // namespace

Attribution integrated_gradients(const Request& request, const Options& options) {
  const auto& own = options.of<IntegratedGradients>();
  const at::Tensor baseline = baseline_for(request, own), way = request.x - baseline;
  at::Tensor mean = at::zeros(way.sizes(), way.options().dtype(at::kDouble));
  in_changes(request, own.steps, options, [&](std::int64_t first, std::int64_t count) {
    at::Tensor places = at::empty({count, 1, 1, 1, 1}, at::kDouble), weights = at::empty_like(places);
    for (std::int64_t i = 0; i < count; ++i) {
      const Point point = legendre_point(first + i, own.steps);
      places[i].fill_(point.place);
      weights[i].fill_(point.weight);
    }
    const at::Tensor images = baseline + places.to(way.options()) * way;
    const at::Tensor gradient = changed_gradients(request, images, options).gradient;
    mean += (weights.to(mean.options()) * gradient).sum(0);
  });
  const at::Tensor values = way * mean.to(way.scalar_type());
  const at::Tensor both = changed_scores(request, at::stack({request.x, baseline}), options);
  return {values, both[0], excess(values, both[0] - both[1]), {}};
}

}  // namespace whence::attribution
