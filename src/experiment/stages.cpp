#include "experiment/stages.h"

#include "experiment/version.h"

namespace whence::experiment {

const std::vector<Stage>& stages() {
  static const std::vector<Stage> table = {
      {"data",
       {"data.set", "data.classes", "data.class_names", "data.size", "data.colours"},
       {},
       true,
       data_content,
       data_stage},
      {"classifier", {"classifier", "run.seed"}, {"data"}, true, classifier_content, classifier_stage},
      {"explanation",
       {"generator", "explanation", "run.seed"},
       {"data", "classifier"},
       true,
       explanation_content,
       explanation_stage},
      {"validation",
       {"evaluation", "run.seed"},
       {"data", "classifier", "explanation"},
       false,
       validation_content,
       validation_stage,
       /*on_demand=*/true},
      {"evaluation",
       {"evaluation", "run.seed"},
       {"data", "classifier", "explanation"},
       false,
       evaluation_content,
       evaluation_stage},
      {"reference",
       {"generator.latents", "explanation.causal", "explanation.noncausal", "run.seed"},
       {"data"},
       false,
       no_content,
       reference_stage},
      {"counterfactual",
       {"counterfactual", "run.seed"},
       {"data", "classifier", "explanation"},
       false,
       evaluation_content,
       counterfactual_stage},
      {"trust",
       {"trust", "run.seed"},
       {"data", "classifier", "explanation", "evaluation"},
       false,
       trust_content,
       trust_stage},
      {"figures",
       {"figures", "counterfactual", "run.seed"},
       {"explanation", "evaluation"},
       false,
       program_content,
       figures_stage},
      {"report",
       {"title", "source", "data", "classifier", "generator", "explanation", "evaluation", "counterfactual",
        "trust", "figures", "run", "expected"},
       {"evaluation", "reference", "counterfactual", "trust", "figures"},
       false,
       program_content,
       report_stage},
  };
  return table;
}

nlohmann::json no_content(Session&) { return nlohmann::json::object(); }

nlohmann::json program_content(Session&) { return {{"whence", version()}}; }

}  // namespace whence::experiment
