#include "whence/explain/attribution/integrated_gradients.h"

#include "explain/attribution/passes.h"
#include "explain/attribution/quadrature.h"
#include "whence/explain/attribution/baseline.h"

namespace whence::attribution {

Attribution integrated_gradients(const Request& request, const Options& options) {
  const auto& own = options.of<IntegratedGradients>();
  const at::Tensor baseline = baseline_of(request, options, own.level), way = request.x - baseline;
  at::Tensor mean = at::zeros(way.sizes(), way.options().dtype(at::kDouble));
  in_changes(request, own.steps, options, [&](std::int64_t first, std::int64_t count) {
    at::Tensor places = at::empty({count, 1, 1, 1, 1}, at::TensorOptions(at::kCPU).dtype(at::kDouble)),
               weights = at::empty_like(places);
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
