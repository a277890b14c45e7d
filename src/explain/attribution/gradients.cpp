#include "whence/explain/attribution/gradients.h"

#include "explain/attribution/score.h"
#include "whence/core/error.h"

namespace whence::attribution {

Attribution gradient(const models::Classifier& classifier, const at::Tensor& x, const at::Tensor& target,
                     Score score) {
  ScoreGradient at_x = score_gradient(classifier, x, target, score);
  return {at_x.gradient, at_x.scores, {}};
}

Attribution input_times_gradient(const models::Classifier& classifier, const at::Tensor& x,
                                 const at::Tensor& target, Score score) {
  const ScoreGradient at_x = score_gradient(classifier, x, target, score);
  return {x * at_x.gradient, at_x.scores, {}};
}

Attribution smooth_grad(const models::Classifier& classifier, const at::Tensor& x, const at::Tensor& target,
                        Score score, const SmoothGrad& options, at::Generator& generator) {
  if (options.samples < 1) fail_usage("SmoothGrad needs at least 1 sample, not {}", options.samples);
  if (!(options.noise >= 0)) fail_usage("SmoothGrad's noise is {}, but must be 0 or more", options.noise);
  const at::Tensor flat = x.flatten(1);
  const at::Tensor deviation =
      (options.noise * (std::get<0>(flat.max(1)) - std::get<0>(flat.min(1)))).view({-1, 1, 1, 1});
  at::Tensor sum = at::zeros_like(x);
  for (std::int64_t i = 0; i < options.samples; ++i) {
    const at::Tensor noise = at::randn(x.sizes(), generator, x.options());
    sum += score_gradient(classifier, x + deviation * noise, target, score).gradient;
  }
  return {sum / static_cast<double>(options.samples), scores_of(classifier, x, target, score), {}};
}

}  // namespace whence::attribution
