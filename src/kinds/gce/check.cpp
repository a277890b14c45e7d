#include <fmt/ranges.h>

#include <algorithm>
#include <set>

#include "experiment/recipe_keys.h"
#include "whence/core/error.h"
#include "whence/core/names.h"
#include "whence/data/known.h"

namespace whence::experiment {
namespace {

void check_known(const std::string& set, const std::string& name) {
  std::vector<std::string_view> names;
  for (const data::KnownSet& known : data::known_sets()) names.push_back(known.name);
  if (std::ranges::find(names, set) != names.end()) return;
  const std::string sets = fmt::format("{}", fmt::join(names, ", "));
  names.insert(names.end(), {"idx", "pictures"});
  fail_usage("{}: data.set is '{}', but must be {} or, for files of your own, idx or pictures{}", name, set,
             sets, did_you_mean(set, names));
}

void check_data(const DataOptions& data, const std::string& name) {
  if (data.set.empty()) {
    fail_usage("{}: data.set is missing; name a data set, such as set = \"fashion-mnist\" below [data]",
               name);
  }
  if (data.set == "idx") {
    if (data.path.empty())
      fail_usage("{}: data.set = \"idx\" needs data.path, the folder with the four files", name);
    if (data.class_names.size() < 2) {
      fail_usage("{}: data.set = \"idx\" needs data.class_names, at least two, label 0 first", name);
    }
  } else if (data.set == "pictures") {
    if (data.path.empty())
      fail_usage("{}: data.set = \"pictures\" needs data.path, the folder with a folder for each class",
                 name);
  } else {
    check_known(data.set, name);
  }
  if (data.set != "idx" && !data.class_names.empty()) {
    fail_usage("{}: data.class_names is only for data.set = \"idx\"; '{}' has names of its own", name,
               data.set);
  }
  if (!data.form.size.empty() && data.form.size.size() != 2) {
    fail_usage("{}: data.size must be two numbers, [height, width]", name);
  }
  if (data.classes.size() == 1) fail_usage("{}: data.classes must name at least two classes", name);
  if (std::set(data.classes.begin(), data.classes.end()).size() != data.classes.size()) {
    fail_usage("{}: data.classes names a class twice", name);
  }
}

void check_weights(const gce::Training& explanation, const std::string& name) {
  using enum gce::Objective;
  if (explanation.lambda == 0 && explanation.causal_weight == 0 && explanation.answer_weight == 0)
    fail_usage(
        "{}: explanation.lambda, explanation.causal_weight and explanation.answer_weight are all 0, which "
        "leaves nothing to train",
        name);
  if (explanation.manifold_weight > 0 && explanation.pretraining == 0)
    fail_usage(
        "{}: explanation.manifold_weight needs explanation.pretraining of at least 1: it holds images to the "
        "autoencoder that is trained there",
        name);
  if (explanation.manifold_weight > 0 && explanation.causal_weight == 0 && explanation.leak_penalty == 0)
    fail_usage(
        "{}: explanation.manifold_weight is of what the causal term draws; it needs "
        "explanation.causal_weight "
        "or explanation.leak_penalty above 0",
        name);
  if (explanation.leak_penalty == 0) return;
  if (explanation.noncausal == 0)
    fail_usage("{}: explanation.leak_penalty needs explanation.noncausal of at least 1", name);
  if (explanation.effect.estimator.sampling != flow::Sampling::crossed)
    fail_usage("{}: explanation.leak_penalty needs explanation.sampling = \"crossed\"", name);
  if (explanation.effect.beta_samples < 2)
    fail_usage("{}: explanation.leak_penalty needs explanation.beta_samples of at least 2", name);
  const auto objective = explanation.effect.objective;
  const bool joint = objective == joint_unconditional || objective == joint_conditional;
  if (!joint && explanation.causal > 1)
    fail_usage(
        "{}: explanation.leak_penalty needs a joint explanation.objective, not '{}', which draws no alphas "
        "together",
        name, gce::name_of(objective));
}

void check_inference(const gce::CausalOptions& effect, const std::string& name) {
  using enum gce::Inference;
  if (effect.inference == averaged && effect.beta_samples < 2)
    fail_usage(
        "{}: explanation.beta_samples must be at least 2 to be averaged over; with explanation.inference = "
        "\"{}\" it may be 1",
        name, gce::name_of(variational));
  if (effect.inference == variational && effect.objective != gce::Objective::joint_unconditional)
    fail_usage("{}: explanation.inference = \"{}\" needs explanation.objective = \"{}\"", name,
               gce::name_of(variational), gce::name_of(gce::Objective::joint_unconditional));
}

void check_latents(const gce::Training& explanation, const std::string& name) {
  const gce::CausalOptions& effect = explanation.effect;
  if (effect.latents == gce::Latents::posterior && explanation.batch <= effect.beta_samples)
    fail_usage(
        "{}: explanation.latents = \"{}\" takes the betas of other images of the batch: explanation.batch "
        "must be "
        "more than explanation.beta_samples = {}",
        name, gce::name_of(effect.latents), effect.beta_samples);
}

void check_explanation(const gce::Training& explanation, const std::string& name) {
  using enum gce::Objective;
  check_weights(explanation, name);
  check_inference(explanation.effect, name);
  check_latents(explanation, name);
  const auto objective = explanation.effect.objective;
  const bool conditional = objective == joint_conditional || objective == independent_conditional;
  if (conditional && explanation.effect.estimator.sampling != flow::Sampling::crossed) {
    fail_usage("{}: explanation.objective '{}' needs explanation.sampling = \"{}\"", name,
               gce::name_of(objective), flow::name_of(flow::Sampling::crossed));
  }
  if (objective == joint_conditional && explanation.noncausal == 0) {
    fail_usage("{}: explanation.objective '{}' needs explanation.noncausal of at least 1", name,
               gce::name_of(objective));
  }
}

void check_estimator(const flow::Estimator& estimator, const std::string& section, const std::string& prefix,
                     const std::string& name) {
  if (estimator.outer_draws == flow::Placement::independent) return;
  if (estimator.correction == flow::Correction::jackknife)
    fail_usage("{}: {}.{}correction = \"jackknife\" needs {}.{}outer_draws = \"independent\"", name, section,
               prefix, section, prefix);
}

void check_factor_draws(const flow::FlowOptions& flow, const std::string& name) {
  if (flow.factors == flow::FactorDraws::own) return;
  if (flow.estimator.correction == flow::Correction::jackknife)
    fail_usage(
        "{}: evaluation.factor_draws = \"shared\" needs evaluation.flow_correction = \"delta\" or \"none\"",
        name);
}

}  // namespace

void check_recipe(const Recipe& recipe, const std::string& name) {
  check_data(recipe.data, name);
  gce::Training explanation = recipe.explanation;
  if (recipe.generator.latents > 0) explanation.manifold_weight = 0;  // unused then
  check_explanation(explanation, name);
  check_estimator(recipe.explanation.effect.estimator, "explanation", "", name);
  check_estimator(recipe.evaluation.flow.estimator, "evaluation", "flow_", name);
  check_factor_draws(recipe.evaluation.flow, name);
}

}  // namespace whence::experiment
