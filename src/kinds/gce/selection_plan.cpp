#include "kinds/gce/selection_plan.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace whence::kinds {
namespace {

std::int64_t pilot_steps(const SelectionRequest& request) {
  const auto steps = static_cast<std::int64_t>(request.pilot * static_cast<double>(request.steps));
  return std::clamp<std::int64_t>(steps, 1, request.steps - 1);
}

}  // namespace

std::optional<gce::Setting> start_of(const SelectionRequest& request, const gce::Setting& setting) {
  const bool starts = request.warm_start && (setting.causal > 0 || setting.reference);
  if (!starts) return std::nullopt;
  const bool has_pilot = request.rules.rule == gce::SelectionRule::standard_error;
  if (setting.causal == 0 || setting.pilot || !has_pilot)
    return gce::Setting{.causal = 0, .noncausal = setting.latents()};
  gce::Setting pilot = setting;
  pilot.pilot = true;
  return pilot;
}

gce::Training training_of(const SelectionRequest& request, gce::Training like, const gce::Setting& setting) {
  like.steps = setting.pilot ? pilot_steps(request) : request.steps;
  if (setting.causal == 0) return like;
  like.causal = setting.causal;
  like.noncausal = setting.noncausal;
  like.lambda = setting.lambda;
  const std::optional<gce::Setting> start = start_of(request, setting);
  if (start && start->pilot) {
    like.steps -= pilot_steps(request);
    like.pretraining = 0;  // the pilot's, which put its latents in order
  }
  return like;
}

void train_alike(models::VaeTraining& autoencoder, const gce::Training& like) {
  autoencoder.steps = like.steps;
  autoencoder.batch = like.batch;
  autoencoder.learning_rate = like.learning_rate;
  autoencoder.beta1 = like.beta1;
  autoencoder.beta2 = like.beta2;
  autoencoder.schedule = like.schedule;
  autoencoder.warmup = like.warmup;
}

void set_draws(const SelectionRequest& request, const gce::Setting& setting, flow::FlowOptions& options) {
  const std::int64_t part = setting.pilot ? 4 : 1;  // no rule asks for the C of a pilot
  options.outer = std::max<std::int64_t>(2, request.outer / part);
  options.inner = std::max<std::int64_t>(2, request.inner / part);
}

bool is_alike(const gce::Setting& one, const gce::Setting& other) {
  return (one.causal > 0) == (other.causal > 0) && one.pilot == other.pilot;
}

bool leaves(const SelectionRequest& request, double spent, double cost) {
  return spent < request.budget_seconds && spent + cost <= request.budget_seconds;
}

nlohmann::json to_json(const gce::Setting& setting) {
  return {{"causal", setting.causal}, {"noncausal", setting.noncausal}, {"lambda", setting.lambda}};
}

nlohmann::json to_json(const gce::Trial& trial, double seconds) {
  nlohmann::json entry = to_json(trial.setting);
  entry["pilot"] = trial.setting.pilot;
  entry["reference"] = trial.setting.reference;
  entry["sse"] = trial.sse;
  entry["kl"] = trial.kl;
  entry["bound_se"] = trial.bound_se;
  if (trial.setting.causal > 0) {
    entry["effect"] = trial.effect;
    entry["effect_se"] = trial.effect_se;
  }
  entry["seconds"] = seconds;
  return entry;
}

}  // namespace whence::kinds
