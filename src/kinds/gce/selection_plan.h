// How a setting of a selection is trained, and what is written down of it; `whence select` and whence.select share it.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "whence/explain/flow/information_flow.h"
#include "whence/explain/gce/select.h"
#include "whence/explain/gce/train.h"
#include "whence/models/train/vae.h"

namespace whence::kinds {

struct SelectionRequest {
  gce::SelectionOptions rules;
  std::int64_t steps = 2000;  ///< of each training (anonymous 2021b: 3,000)
  double pilot = 0.25;  ///< share of the steps that a pilot gets; a full training goes on from its pilot
  /// Step 2 starts from the autoencoder of step 1, and D1 is of that autoencoder after as many more steps; otherwise
  /// every training starts from random weights, as in the papers. Sets `rules.reference`.
  bool warm_start = true;
  std::int64_t outer = 200, inner = 200;  ///< draws that measure C; a quarter of each for pilots
  double budget_seconds = 0;              ///< of all settings, earlier calls included; 0: as long as it takes
  bool force = false;                     ///< replaces what another recipe made in the folder
};

/// The setting whose weights this one starts from: its pilot where the rule makes one, otherwise step 1's autoencoder with as many latents.
/// Nothing where it starts from none.
std::optional<gce::Setting> start_of(const SelectionRequest& request, const gce::Setting& setting);

/// `like` with the setting's K, L, lambda, steps and pretraining.
gce::Training training_of(const SelectionRequest& request, gce::Training like, const gce::Setting& setting);
/// Gives `autoencoder` the steps, batch and optimizer of `like`, so that it is trained as the explanation would be without its causal
/// term.
void train_alike(models::VaeTraining& autoencoder, const gce::Training& like);
/// The draws that measure C.
void set_draws(const SelectionRequest& request, const gce::Setting& setting, flow::FlowOptions& options);

/// Whether both are autoencoders or both are explanations, and both or neither are pilots: then one takes about as long as the other.
bool is_alike(const gce::Setting& one, const gce::Setting& other);
/// Whether the budget leaves `cost` seconds.
bool leaves(const SelectionRequest& request, double spent, double cost);

/// {"causal", "noncausal", "lambda"}
nlohmann::json to_json(const gce::Setting& setting);
/// The same with {"pilot", "reference", "sse", "kl", "bound_se", "seconds"}, and {"effect", "effect_se"} of a setting with causal factors.
nlohmann::json to_json(const gce::Trial& trial, double seconds);

}  // namespace whence::kinds
