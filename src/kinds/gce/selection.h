// K, L and lambda chosen by gce/select.h, with every setting trained as a run of its own.
//
// Settings are compared on the set's validation images, so that the test images have no part in the choice and a run of
// the chosen setting is judged on what nobody has looked at; on the test images where a set has no others.
//
//   report.html  selection.json  recipe.toml (the chosen one)  figures/latents, figures/lambda, figures/causal (.png, .svg)
//   classifier/                    the run that trains the classifier; the others copy it
//   settings/latents-8/            step 1; ...-reference: trained on, for its D1
//   settings/k1-l7-lambda0.05/     step 2; ...-pilot: its pilot
//
// Each setting is a run folder, and decisions follow from their metrics alone: what was interrupted goes on where it
// was, and comes to the same choice.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "experiment/display.h"
#include "experiment/recipe.h"
#include "kinds/gce/selection_plan.h"

namespace whence::kinds {

/// A setting that was measured.
struct SelectionTrial {
  gce::Trial trial;
  std::string folder;  ///< below the selection's
  double seconds = 0;  ///< of training and measuring
};

struct Selection {
  std::vector<SelectionTrial> trials;  ///< as they were measured
  gce::Decision decision;
  std::string images = "validation";  ///< or "test": that settings were compared on
  bool complete = false;              ///< the rule came to its end; otherwise the budget did
  double seconds = 0;                 ///< of all settings and the classifier
};

/// Trains what the rule asks for in `folder` and writes the files above; several processes may share one folder, and come to the choice of one alone. A setting is begun only
/// when the budget leaves as much time as the longest one of its kind took. Errors (usage): a recipe that starts from other weights or has
/// nothing to choose; those of gce::check. Errors: those of run_stages; a folder of something else; no setting that
/// could be chosen (the figures, selection.json and report.html are written then too).
Selection run_selection(const experiment::Recipe& recipe, const std::filesystem::path& folder,
                        const SelectionRequest& request, experiment::Display& display);

/// The recipe with K, L and lambda of the setting.
experiment::Recipe with_setting(experiment::Recipe recipe, const gce::Setting& setting);

/// {"rule", "chosen": {"causal", "noncausal", "lambda"} or null, "limit": D at most, or null, "images", "complete",
/// "reasons", "trials": [...], "seconds"}
nlohmann::json to_json(const Selection& selection, gce::SelectionRule rule);
/// One line a setting, the chosen one marked.
std::string table_of(const Selection& selection);
/// D by number of latents; C and D by lambda; C and D by K (O'Shaughnessy et al. 2020, figure 11; Verhoeven et al. 2021, figure 7).
/// Rings mark the chosen setting, a line the largest D that the rule allows. Bars are 95 % intervals: of C, and of the
/// difference of D from the chosen setting's, image by image. Charts without a point are left out.
void draw_selection(const Selection& selection, const std::filesystem::path& folder);
/// report.html, with the figures that draw_selection has drawn. `title`: of the recipe.
void report_selection(const Selection& selection, const std::string& title, gce::SelectionRule rule,
                      const std::filesystem::path& folder);

}  // namespace whence::kinds
