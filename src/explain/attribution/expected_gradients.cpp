#include "whence/explain/attribution/expected_gradients.h"

#include "explain/attribution/moments.h"
#include "explain/attribution/passes.h"
#include "whence/core/random.h"
#include "whence/platform/device.h"

namespace whence::attribution {
namespace {

/// Which image each draw starts from, and how far on the way to x it is.
struct Draws {
  at::Tensor rows, places;
};
Draws drawn_by(const Options& options) {
  const std::int64_t samples = options.of<ExpectedGradients>().samples;
  at::Generator generator = make_generator(options.seed, "attribution/expected_gradients");
  const at::Tensor rows =
      at::randint(options.references.size(0), {samples}, generator, draws_of(generator, at::kLong));
  const at::Tensor within = at::rand({samples}, generator, draws_of(generator, at::kDouble));
  return {rows, (at::arange(samples, within.options()) + within) / static_cast<double>(samples)};
}

}  // namespace

Attribution expected_gradients(const Request& request, const Options& options) {
  const at::Tensor& x = request.x;
  const Draws draws = drawn_by(options);
  const at::Tensor baselines =
      options.references.index_select(0, draws.rows.to(options.references.device())).to(x.options());
  Moments values;
  at::Tensor from = at::zeros({x.size(0)}, x.options().dtype(at::kDouble));
  in_changes(request, draws.rows.size(0), options, [&](std::int64_t first, std::int64_t count) {
    const at::Tensor start =
        baselines.narrow(0, first, count).unsqueeze(1).expand({-1, x.size(0), -1, -1, -1});
    const at::Tensor place = draws.places.narrow(0, first, count).to(x.options()).view({count, 1, 1, 1, 1});
    const at::Tensor way = x - start;
    values.add(way * changed_gradients(request, start + place * way, options).gradient);
    from += changed_scores(request, start, options).to(at::kDouble).sum(0);
  });
  const at::Tensor mean = values.mean(),
                   scores = scores_of(request.classifier, x, request.target, options.score, options.batch);
  const at::Tensor gain = scores.to(at::kDouble) - from / static_cast<double>(draws.rows.size(0));
  return {mean.to(x.scalar_type()), scores, excess(mean, gain), values.standard_error().to(x.scalar_type())};
}

}  // namespace whence::attribution
