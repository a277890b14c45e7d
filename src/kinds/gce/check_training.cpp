// Options of a training that contradict each other. Python's explain takes this file alone.
#include "kinds/gce/check_training.h"

#include <functional>

#include "whence/core/error.h"

namespace whence::kinds {
namespace {

using Require = std::function<void(bool good, const std::string& sentence)>;

void check_weights(const gce::Training& options, const Require& require) {
  require(options.lambda > 0 || options.causal_weight > 0 || options.answer_weight > 0,
          "explanation.lambda, explanation.causal_weight and explanation.answer_weight are all 0, so there "
          "is nothing to train");
  require(options.manifold_weight == 0 || options.pretraining > 0,
          "explanation.manifold_weight needs explanation.pretraining of at least 1: it compares images with "
          "the autoencoder trained there");
  require(options.manifold_weight == 0 || options.causal_weight > 0 || options.leak_penalty > 0,
          "explanation.manifold_weight acts on the draws of the causal term; it needs "
          "explanation.causal_weight or "
          "explanation.leak_penalty above 0");
}

void check_leak(const gce::Training& options, const Require& require) {
  using enum gce::Objective;
  if (options.leak_penalty == 0) return;
  const gce::CausalOptions& effect = options.effect;
  require(options.noncausal > 0, "explanation.leak_penalty needs explanation.noncausal of at least 1");
  require(effect.estimator.sampling == flow::Sampling::crossed,
          "explanation.leak_penalty needs explanation.sampling = \"crossed\"");
  require(effect.beta_samples > 1, "explanation.leak_penalty needs explanation.beta_samples of at least 2");
  require(
      effect.objective == joint_unconditional || effect.objective == joint_conditional || options.causal == 1,
      fmt::format(
          "explanation.leak_penalty needs a joint explanation.objective, not '{}', which draws no alphas "
          "together",
          gce::name_of(effect.objective)));
}

void check_effect(const gce::Training& options, const Require& require) {
  using enum gce::Objective;
  const gce::CausalOptions& effect = options.effect;
  const bool averaged = effect.inference == gce::Inference::averaged;
  const bool conditional =
      effect.objective == joint_conditional || effect.objective == independent_conditional;
  require(!averaged || effect.beta_samples > 1,
          "explanation.beta_samples must be at least 2 to be averaged over; with explanation.inference = "
          "\"variational\" it may be 1");
  require(averaged || effect.objective == joint_unconditional,
          "explanation.inference = \"variational\" needs explanation.objective = \"joint_unconditional\"");
  require(effect.latents == gce::Latents::prior || options.batch > effect.beta_samples,
          fmt::format("explanation.latents = \"posterior\" takes the betas of other images of the batch: "
                      "explanation.batch must be more than explanation.beta_samples = {}",
                      effect.beta_samples));
  require(!conditional || effect.estimator.sampling == flow::Sampling::crossed,
          fmt::format("explanation.objective '{}' needs explanation.sampling = \"crossed\"",
                      gce::name_of(effect.objective)));
  require(effect.objective != joint_conditional || options.noncausal > 0,
          "explanation.objective 'joint_conditional' needs explanation.noncausal of at least 1");
}

}  // namespace

void check_estimator(const flow::Estimator& estimator, const std::string& keys, const std::string& file) {
  if (estimator.outer_draws != flow::Placement::independent &&
      estimator.correction == flow::Correction::jackknife)
    fail_usage("{1}: {0}correction = \"jackknife\" needs {0}outer_draws = \"independent\"", keys, file);
}

void check_training(const gce::Training& options, const std::string& file) {
  const Require require = [&](bool good, const std::string& sentence) {
    if (!good) fail_usage("{}: {}", file, sentence);
  };
  check_weights(options, require);
  check_leak(options, require);
  check_effect(options, require);
  check_estimator(options.effect.estimator, "explanation.", file);
}

}  // namespace whence::kinds
