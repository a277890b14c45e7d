#include "whence/explain/gce/objective.h"

#include <numeric>

#include "whence/core/error.h"

namespace whence::gce {
namespace {

using at::Tensor;

bool is_conditional(Objective objective) {
  return objective == Objective::joint_conditional || objective == Objective::independent_conditional;
}

bool is_independent(Objective objective) {
  return objective == Objective::independent_unconditional || objective == Objective::independent_conditional;
}

void check(std::int64_t causal, std::int64_t noncausal, const CausalOptions& options) {
  if (causal < 1) fail_usage("K must be at least 1, not {}", causal);
  if (noncausal < 0) fail_usage("the number of other factors (L) is {}; it must be 0 or more", noncausal);
  if (options.alpha_samples < 2)
    fail_usage("the causal effect needs at least 2 draws of the causal factors, not {}",
               options.alpha_samples);
  if (options.beta_samples < 1)
    fail_usage("the causal effect needs at least 1 draw of the other factors, not {}", options.beta_samples);
  if (is_conditional(options.objective) && options.estimator.sampling != flow::Sampling::crossed)
    fail_usage(
        "the objective {} needs crossed sampling: it compares draws of the causal factors with the others "
        "held",
        name_of(options.objective));
  if (options.inference == Inference::variational && options.objective != Objective::joint_unconditional)
    fail_usage("the variational bound is one of the objective {}, not of {}",
               name_of(Objective::joint_unconditional), name_of(options.objective));
}

void check_rows(const CausalDraws& draws, const Tensor& probabilities) {
  TORCH_CHECK(probabilities.dim() == 2 && probabilities.size(0) == draws.latents.size(0),
              "one row of probabilities for each of the ", draws.latents.size(0), " draws, got ",
              probabilities.sizes());
}

/// All causal factors drawn together, or each by itself; `draw` is given the factors.
template <class Draw>
CausalDraws draw_groups(std::int64_t causal, const CausalOptions& options, Draw draw) {
  if (!is_independent(options.objective)) {
    std::vector<std::int64_t> all(static_cast<std::size_t>(causal));
    std::iota(all.begin(), all.end(), std::int64_t{0});
    return {options, draw(all), 1};
  }
  std::vector<Tensor> groups;
  for (std::int64_t i = 0; i < causal; ++i) groups.push_back(draw({i}));
  return {options, at::cat(groups), causal};
}

}  // namespace

CausalDraws draw_causal(std::int64_t causal, std::int64_t noncausal, const CausalOptions& options,
                        at::Generator& generator) {
  check(causal, noncausal, options);
  return draw_groups(causal, options, [&](const std::vector<std::int64_t>& factors) {
    return flow::draw_latents(causal + noncausal, factors, options.alpha_samples, options.beta_samples,
                              options.estimator.sampling, options.estimator.outer_draws, generator);
  });
}

CausalDraws draw_causal(std::int64_t causal, std::int64_t noncausal, const CausalOptions& options,
                        const at::Tensor& latents) {
  CausalOptions of_images = options;
  of_images.alpha_samples = latents.size(0);
  of_images.estimator.outer_draws = flow::Placement::independent;
  check(causal, noncausal, of_images);
  return draw_groups(causal, of_images, [&](const std::vector<std::int64_t>& factors) {
    return flow::recombine_latents(latents, factors, options.beta_samples, options.estimator.sampling);
  });
}

CausalDraws CausalDraws::to(at::Device device) const {
  CausalDraws moved = *this;
  moved.latents = latents.to(device);
  return moved;
}

at::Tensor causal_effect(const CausalDraws& draws, const at::Tensor& probabilities) {
  const CausalOptions& options = draws.options;
  check_rows(draws, probabilities);
  const Tensor grouped =
      probabilities.view({draws.groups, options.alpha_samples, options.beta_samples, probabilities.size(1)});
  std::vector<Tensor> effects;
  for (const Tensor& group : grouped.unbind(0))
    effects.push_back(is_conditional(options.objective)
                          ? flow::conditional_information(group, options.estimator)
                          : flow::mutual_information(group, options.estimator));
  return at::stack(effects).mean();
}

at::Tensor variational_effect(const CausalDraws& draws, const at::Tensor& probabilities,
                              const LabelModel& labels) {
  check_rows(draws, probabilities);
  const CausalOptions& options = draws.options;
  const std::int64_t outer = options.alpha_samples, inner = options.beta_samples;
  const Tensor alpha =
      draws.latents.view({outer, inner, -1}).select(1, 0).narrow(1, 0, labels.network.input_shape()[0]);
  return flow::variational_information(probabilities.view({outer, inner, -1}),
                                       labels.log_probabilities(alpha), options.estimator);
}

at::Tensor leaked_effect(const CausalDraws& draws, const at::Tensor& probabilities) {
  const CausalOptions& options = draws.options;
  const flow::Estimator& estimator = options.estimator;
  if (estimator.sampling != flow::Sampling::crossed || draws.groups != 1)
    fail_usage(
        "the penalty on I(beta; Y) needs crossed sampling and a joint objective, not {} sampling and {}",
        name_of(estimator.sampling), name_of(options.objective));
  if (options.beta_samples < 2)
    fail_usage("the penalty on I(beta; Y) compares draws of beta: it needs at least 2 of them, not {}",
               options.beta_samples);
  check_rows(draws, probabilities);
  const Tensor p = probabilities.view({options.alpha_samples, options.beta_samples, -1});
  const flow::Estimator exchanged = {flow::Sampling::crossed, estimator.inner_draws, estimator.correction,
                                     estimator.outer_draws};
  return flow::mutual_information(p.transpose(0, 1).contiguous(), exchanged);
}

at::Tensor answer_divergence(const at::Tensor& p, const at::Tensor& log_q) {
  TORCH_CHECK(p.dim() == 2 && p.sizes() == log_q.sizes(), "one answer for each reconstruction, got ",
              p.sizes(), " and ", log_q.sizes());
  return (at::xlogy(p, p) - p * log_q).sum(1).mean();
}

std::string_view name_of(Inference inference) {
  return inference == Inference::averaged ? "averaged" : "variational";
}

std::string_view name_of(Latents latents) { return latents == Latents::prior ? "prior" : "posterior"; }

std::string_view name_of(Objective objective) {
  switch (objective) {
    case Objective::joint_unconditional:
      return "joint_unconditional";
    case Objective::joint_conditional:
      return "joint_conditional";
    case Objective::independent_unconditional:
      return "independent_unconditional";
    case Objective::independent_conditional:
      return "independent_conditional";
  }
  return "";
}

}  // namespace whence::gce
