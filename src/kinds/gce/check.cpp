// Values of a recipe that contradict each other.
#include "kinds/gce/check_training.h"
#include "kinds/gce/gce.h"
#include "whence/core/error.h"

namespace whence::kinds {

void check_gce(const config::Values& values, const std::string& file) {
  if (trains_alone(values)) return;  // all are unused then
  check_training(values.get<gce::Training>(), file);
  const flow::FlowOptions& flow = values.get<EvaluationOptions>().flow;
  check_estimator(flow.estimator, "evaluation.flow_", file);
  if (flow.factors == flow::FactorDraws::shared && flow.estimator.correction == flow::Correction::jackknife)
    fail_usage(
        "{}: evaluation.factor_draws = \"shared\" needs evaluation.flow_correction = \"delta\" or \"none\"",
        file);
}

}  // namespace whence::kinds
