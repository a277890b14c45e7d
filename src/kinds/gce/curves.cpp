#include "kinds/gce/curves.h"

#include <nlohmann/json.hpp>

#include "experiment/compare.h"
#include "experiment/folder.h"
#include "experiment/recipe.h"
#include "whence/core/error.h"

namespace whence::kinds {
namespace {

namespace fs = std::filesystem;

/// The settings of a training, without paths, which may differ for equal files.
nlohmann::json training_values(const experiment::Recipe& recipe) {
  return without_paths(*recipe.kinds,
                       recipe_values(recipe, {"data", "classifier", "generator", "explanation", "run.seed"}));
}

report::Panel panel_of(const std::string& reading, const std::string& axis,
                       const std::vector<NamedCurve>& curves) {
  report::Panel panel{axis, {}, false};
  for (const NamedCurve& named : curves) {
    const auto found = named.curve.values.find(reading);
    if (found != named.curve.values.end())
      panel.series.push_back({named.name, named.curve.steps, found->second});
  }
  return panel;
}

}  // namespace

std::optional<report::LineChart> training_chart(const std::vector<NamedCurve>& curves) {
  report::LineChart chart;
  chart.horizontal_axis = "step";
  const bool any = std::any_of(curves.begin(), curves.end(),
                               [](const NamedCurve& named) { return named.curve.steps.size() > 1; });
  if (!any) return std::nullopt;
  for (const auto& [reading, axis] :
       std::vector<std::pair<std::string, std::string>>{{"C", "C (nats)"},
                                                        {"leak", "leak (nats)"},
                                                        {"answers", "answers (nats)"},
                                                        {"departure", "departure of draws"},
                                                        {"SSE", "SSE"},
                                                        {"KL", "KL (nats)"}}) {
    report::Panel panel = panel_of(reading, axis, curves);
    if (!panel.series.empty()) chart.panels.push_back(std::move(panel));
  }
  if (chart.panels.empty()) return std::nullopt;
  chart.title = chart.panels.front().value_axis.starts_with("C ") ? "Training of the explanation"
                                                                  : "Training of the autoencoder";
  return chart;
}

Curve training_curve(const fs::path& run) { return experiment::read_curve(run / "log.jsonl", "explanation"); }

report::LineChart compare_trainings(const experiment::Kinds& kinds, const std::vector<fs::path>& runs) {
  std::vector<nlohmann::json> recipes;
  std::vector<std::string> folders;
  std::vector<NamedCurve> curves;
  for (const fs::path& run : runs) {
    recipes.push_back(training_values(experiment::load_recipe(kinds, experiment::RunFolder(run).recipe())));
    folders.push_back(run.lexically_normal().filename().string());
    curves.push_back({"", training_curve(run)});
    if (curves.back().curve.steps.empty())
      fail_usage("the training of {} has not begun; `whence train {}` goes on with it", run.string(),
                 run.string());
  }
  const std::vector<std::string> names = experiment::names_apart(recipes, folders);
  for (std::size_t i = 0; i < curves.size(); ++i) curves[i].name = names[i];
  const std::optional<report::LineChart> chart = training_chart(curves);
  if (!chart)
    fail("the logs of these runs hold no two readings of a training; let it go on with `whence train RUN`");
  return *chart;
}

}  // namespace whence::kinds
