#include "experiment/stages.h"

#include "experiment/recipe.h"
#include "experiment/session.h"
#include "experiment/version.h"

namespace whence::experiment {
namespace {

/// Figures and report change with the program.
nlohmann::json program_content(Session&) { return {{"whence", version()}}; }

}  // namespace

std::vector<Stage> stages(const Kinds& kinds) {
  std::vector<Stage> all = {{"data",
                             {"data.set", "data.classes", "data.class_names", "data.size", "data.colours",
                              "data.text", "data.label", "data.grades"},
                             {},
                             data_stage,
                             data_content,
                             /*expensive=*/true},
                            {"classifier",
                             {"classifier", "run.seed"},
                             {"data"},
                             classifier_stage,
                             classifier_content,
                             /*expensive=*/true}};
  Stage figures{"figures", {"run.seed"}, {"classifier"}, figures_stage, program_content};
  for (const Kind& kind : kinds) {
    for (const config::Section& section : kind.sections) figures.keys.push_back(section.name);
    for (const Stage& stage : kind.stages) {
      all.push_back(stage);
      all.back().kind = &kind;
      if (!stage.on_demand) figures.after.push_back(stage.name);
    }
  }
  Stage report{"report", names_of(schema_of(kinds)), figures.after, report_stage, program_content};
  report.after.push_back("figures");
  all.push_back(std::move(figures));
  all.push_back(std::move(report));
  return all;
}

bool is_asked(const Stage& stage, const config::Values& values) {
  // Texts have classifiers of their own, those of kind "text".
  if (stage.kind == nullptr && stage.name == "classifier") return !is_text(values.get<DataOptions>());
  if (stage.kind == nullptr) return true;
  return stage.kind->asked(values) && (stage.asked == nullptr || stage.asked(values));
}

std::string_view last_training(const Kinds& kinds, const config::Values& values) {
  std::string_view last;
  for (const Stage& stage : stages(kinds))
    if (stage.expensive && is_asked(stage, values)) last = stage.name;
  return last;
}

nlohmann::json judging_content(Session& session) {
  return {{"precision", name_of(session.judging_precision())}};
}

}  // namespace whence::experiment
