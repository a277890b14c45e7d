#include "whence/explain/attribution/smooth_grad.h"

#include "explain/attribution/moments.h"
#include "explain/attribution/passes.h"
#include "whence/core/random.h"
#include "whence/platform/device.h"

namespace whence::attribution {
namespace {

/// Standard normal noise for some copies of all images, (count, 1, C, H, W). Each copy's is drawn by itself, so that the draws do
/// not depend on how many are made at once.
at::Tensor noise_for(const at::Tensor& x, std::int64_t count, at::Generator& generator) {
  std::vector<at::Tensor> copies;
  for (std::int64_t i = 0; i < count; ++i)
    copies.push_back(at::randn(x.sizes().slice(1), generator, draws_of(generator)));
  return at::stack(copies).unsqueeze(1).to(x.options());
}

/// Of g among the noisy copies of each image; `power`: of g that is gathered.
Moments noisy_gradients(const Request& request, const Options& options, int power, int powers) {
  const auto& own = options.of<SmoothGrad>();
  const at::Tensor flat = request.x.flatten(1);
  const at::Tensor deviation = (own.noise * (flat.amax(1) - flat.amin(1))).view({-1, 1, 1, 1});
  at::Generator generator = make_generator(options.seed, "attribution/smooth_grad");
  Moments moments(powers);
  in_changes(request, own.samples, options, [&](std::int64_t, std::int64_t count) {
    const at::Tensor noisy = request.x + deviation * noise_for(request.x, count, generator);
    const at::Tensor gradient = changed_gradients(request, noisy, options).gradient.to(at::kDouble);
    moments.add(power == 2 ? gradient.square() : gradient);
  });
  return moments;
}

at::Tensor scores_at_x(const Request& request, const Options& options) {
  return scores_of(request.classifier, request.x, request.target, options.score, options.batch);
}

Attribution mean_of(const Moments& moments, const Request& request, const Options& options) {
  const at::ScalarType type = request.x.scalar_type();
  return {moments.mean().to(type), scores_at_x(request, options), {}, moments.standard_error().to(type)};
}

}  // namespace

Attribution smooth_grad(const Request& request, const Options& options) {
  return mean_of(noisy_gradients(request, options, 1, 2), request, options);
}

Attribution smooth_grad_squared(const Request& request, const Options& options) {
  return mean_of(noisy_gradients(request, options, 2, 2), request, options);
}

Attribution var_grad(const Request& request, const Options& options) {
  const Moments moments = noisy_gradients(request, options, 1, 4);
  const at::ScalarType type = request.x.scalar_type();
  return {moments.variance().to(type),
          scores_at_x(request, options),
          {},
          moments.standard_error_of_variance().to(type)};
}

}  // namespace whence::attribution
