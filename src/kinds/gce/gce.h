// The kind "gce": generative causal explanations (O'Shaughnessy et al. 2020), from recipe to report.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "experiment/figures.h"
#include "experiment/kind.h"
#include "experiment/recipe.h"
#include "experiment/session.h"
#include "kinds/gce/trust.h"
#include "kinds/generator/generator.h"
#include "kinds/generator/image_model.h"
#include "whence/explain/flow/information_flow.h"
#include "whence/explain/gce/train.h"

namespace whence::kinds {

using experiment::Session;

// Its options beside gce::Training ([explanation]; seed, precision and checkpoint come from the run) and TrustOptions.

struct EvaluationOptions {
  flow::FlowOptions flow;
  std::int64_t ablation_images = 0;  ///< test images that ablation is measured on; 0: all
};
struct FigureOptions {
  std::int64_t sweep_rows = 6;  ///< samples, spread over the classes
  double sweep_range = 3;       ///< values from -range to range are added to a latent
  std::int64_t sweep_steps = 7;
  std::int64_t strip_rows = 3;
  std::int64_t strip_steps = 25;
  std::int64_t others = 12;    ///< non-causal factors that are shown; 0: all
  bool probabilities = false;  ///< printed under each image
};

/// The row of the table.
experiment::Kind gce_kind();

/// Whether the generator becomes an explanation; otherwise it is trained alone (trains_alone), or not at all.
bool explains(const config::Values& values);
/// K; 0 without an explanation.
std::int64_t causal(const Session& session);
/// "alpha_1", ...
std::vector<std::string> factor_names(const Session& session);

// The parts of the row, one file each.
config::Schema gce_sections();
void check_gce(const config::Values& values, const std::string& file);
std::vector<experiment::Metric> gce_metrics();
experiment::Stage explanation_stage();
std::vector<experiment::Stage> evaluation_stages();
experiment::Stage trust_stage();
void draw_gce(experiment::Run& run, experiment::Figures& figures);
void report_gce(const experiment::Run& run, report::Page& page);
void report_gce_seeds(const experiment::SeedSpread& spread, report::Page& page);

}  // namespace whence::kinds
