#include "kinds/gce/gce.h"

#include "whence/core/error.h"

namespace whence::kinds {
namespace {

std::int64_t latents_needed(const config::Values& values) {
  const auto& explanation = values.get<gce::Training>();
  return explanation.causal + explanation.noncausal;
}

void compare_with(config::Values& values, const std::filesystem::path& other_run) {
  auto& trust = values.get<TrustOptions>();
  if (!trust.other_run.empty())
    fail_usage("trust.other_run is {}, but --seeds compares each seed with the next; leave one of them out",
               trust.other_run);
  if (explains(values)) trust.other_run = other_run.string();
}

}  // namespace

experiment::Kind gce_kind() {
  experiment::Kind kind{"gce",
                        "Generative causal explanations: a generator learns factors, of which some move the "
                        "classifier and the others do "
                        "not (O'Shaughnessy et al. 2020).",
                        gce_sections(), explains, check_gce};
  kind.stages = {explanation_stage()};
  for (experiment::Stage& stage : evaluation_stages()) kind.stages.push_back(std::move(stage));
  kind.stages.push_back(trust_stage());
  kind.metrics = gce_metrics();
  kind.figures = draw_gce;
  kind.report = report_gce;
  kind.latents = latents_needed;
  kind.compare = compare_with;
  kind.report_seeds = report_gce_seeds;
  return kind;
}

bool explains(const config::Values& values) {
  return values.get<gce::Training>().steps > 0 && !trains_alone(values) &&
         !experiment::is_text(values.get<experiment::DataOptions>());
}

std::int64_t causal(const Session& session) {
  return explains(session.recipe().values) ? session.get<gce::Training>().causal : 0;
}

std::vector<std::string> factor_names(const Session& session) {
  return flow::factor_names(causal(session), session.latents());
}

}  // namespace whence::kinds
