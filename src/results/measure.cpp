#include <fmt/ranges.h>

#include <map>
#include <set>

#include "whence/core/error.h"
#include "whence/core/files.h"
#include "whence/core/names.h"
#include "whence/results/measured.h"
#include "whence/run/folder.h"
#include "whence/run/pipeline.h"
#include "whence/run/recipe.h"

namespace whence::results {
namespace {

namespace fs = std::filesystem;

/// What makes two runs the same experiment, wherever their files lie.
const std::vector<std::string_view> kComparedKeys = {"data.set",     "data.classes", "data.size",
                                                     "data.colours", "classifier",   "generator",
                                                     "explanation",  "evaluation"};

nlohmann::json json_if_there(const fs::path& file) {
  return fs::exists(file) ? read_json(file) : nlohmann::json::object();
}

std::map<std::string, double> figures_of(const nlohmann::json& metrics) {
  std::map<std::string, double> figures;
  for (const std::string& name : run::metric_names(metrics))
    if (const std::optional<double> value = run::metric(metrics, name)) figures[name] = *value;
  return figures;
}

nlohmann::json compared_values(const run::Recipe& recipe) {
  nlohmann::json values = run::recipe_values(recipe, kComparedKeys);
  for (const std::string& path : run::path_keys()) values.erase(path);
  return values;
}

/// run.json, and of metrics.json what it tells of the data, of the run in `folder`.
nlohmann::json facts_in(const fs::path& folder) {
  nlohmann::json facts = json_if_there(folder / "run.json");
  const nlohmann::json metrics = json_if_there(folder / "metrics.json");
  if (metrics.contains("data")) facts["data"] = metrics["data"];
  return facts;
}

/// Nothing where the folder is absent or its run is not finished.
std::optional<Run> finished_run(const fs::path& runs, const std::string& name) {
  const run::RunFolder folder(runs / name);
  if (fs::exists(folder / "selection.json")) {  // differs from its recipe by what it has chosen
    const nlohmann::json selection = read_json(folder / "selection.json");
    if (!selection.contains("chosen") || selection["chosen"].is_null()) return std::nullopt;
    return Run{name, folder.path(), figures_of(selection), facts_in(folder / "classifier"), {}};
  }
  const bool has_recipe = folder.exists();
  if (has_recipe ? !run::read_stamp(folder, run::PipelineOptions{}.last).finished
                 : !fs::exists(folder / "metrics.json"))
    return std::nullopt;
  return Run{name, folder.path(), figures_of(read_json(folder / "metrics.json")), facts_in(folder.path()),
             has_recipe ? compared_values(run::load_recipe(folder / "recipe.toml")) : nlohmann::json()};
}

void check_seeds(const Experiment& experiment, const std::vector<Run>& runs) {
  std::map<nlohmann::json, std::string> seeds;
  for (const Run& run : runs) {
    if (!run.facts.contains("seed")) continue;
    const auto [other, first] = seeds.emplace(run.facts["seed"], run.name);
    if (!first)
      fail_usage("{}: the runs {} and {} of '{}' both have seed {}; name one of them", experiment.place,
                 other->second, run.name, experiment.name, run.facts["seed"].dump());
  }
}

[[noreturn]] void fail_unmeasured(const Figure& figure, const Run& run) {
  std::vector<std::string_view> names;
  for (const auto& [name, value] : run.figures) names.push_back(name);
  const std::string what = fmt::format("{}: the run {} has not measured '{}'{}", figure.place, run.name,
                                       figure.metric, did_you_mean(figure.metric, names));
  if (run.recorded()) fail_usage("{}, as far as the page's record knows; measure it again", what);
  fail_usage("{}; `whence results --metrics {}` lists what it has", what, run.folder.string());
}

/// Of runs that the record alone knows, those that have not measured a figure without a bar are left out.
run::Spread spread_of(const Figure& figure, const std::vector<Run>& runs) {
  std::vector<double> values;
  for (const Run& run : runs) {
    const auto found = run.figures.find(figure.metric);
    if (found != run.figures.end())
      values.push_back(found->second * run::shown_per_measured(figure.unit));
    else if (!run.recorded() || figure.bar)
      fail_unmeasured(figure, run);
  }
  if (values.empty() && !runs.empty()) fail_unmeasured(figure, runs.front());
  return run::spread_of(std::move(values));
}

std::vector<std::string> differences_of(const Experiment& experiment, const std::vector<Run>& runs) {
  if (experiment.recipe.empty()) return {};
  const nlohmann::json expected = compared_values(run::load_recipe(experiment.recipe, experiment.settings));
  std::map<std::string, std::vector<std::string>> runs_with;
  for (const Run& run : runs) {
    if (run.recipe.is_null()) continue;
    const nlohmann::json own = run::with_later_keys(run.recipe, kComparedKeys);
    for (const auto& [key, value] : expected.items()) {
      if (own[key] != value)
        runs_with[fmt::format("{} is {}, in the recipe {}", key, own[key].dump(), value.dump())].push_back(
            run.name);
    }
  }
  std::map<std::vector<std::string>, std::vector<std::string>> differences_in;
  for (const auto& [difference, names] : runs_with) differences_in[names].push_back(difference);
  std::vector<std::string> sentences;
  for (const auto& [names, differences] : differences_in)
    sentences.push_back(fmt::format("{} ({})", fmt::join(differences, "; "), fmt::join(names, ", ")));
  return sentences;
}

MeasuredExperiment measure(const Experiment& experiment, const fs::path& runs, const Record& record) {
  MeasuredExperiment measured;
  for (const std::string& name : experiment.runs) {
    if (std::optional<Run> run = finished_run(runs, name))
      measured.runs.push_back(std::move(*run));
    else if (const auto kept = record.find(name); kept != record.end())
      measured.runs.push_back(kept->second);
  }
  check_seeds(experiment, measured.runs);
  for (const Figure& figure : experiment.figures)
    measured.figures.push_back({spread_of(figure, measured.runs)});
  measured.differences = differences_of(experiment, measured.runs);
  return measured;
}

/// The median over the runs; nothing where none says.
std::optional<double> hours_of(const std::vector<Run>& runs) {
  std::vector<double> seconds;
  for (const Run& run : runs)
    for (const char* metric : {"total_seconds", "seconds"})
      if (const auto value = run.figures.find(metric); value != run.figures.end()) {
        seconds.push_back(value->second);
        break;
      }
  if (seconds.empty()) return std::nullopt;
  return run::spread_of(std::move(seconds)).median / 3600;
}

}  // namespace

Tally tally(const Experiment& experiment, const MeasuredExperiment& measured) {
  Tally tally;
  for (std::size_t i = 0; i < experiment.figures.size(); ++i) {
    const Figure& figure = experiment.figures[i];
    if (!figure.bar) continue;
    const MeasuredFigure& value = measured.figures[i];
    ++(!value.measured()                             ? tally.unmeasured
       : figure.bar->reached_by(value.spread.median) ? tally.reached
                                                     : tally.missed);
  }
  return tally;
}

TotalTime total_time(const Page& page, const Measured& measured) {
  TotalTime total;
  std::set<fs::path> recipes;
  std::set<std::string> runs;
  for (std::size_t i = 0; i < page.experiments.size(); ++i) {
    const MeasuredExperiment& experiment = measured.experiments[i];
    const std::optional<double> hours = hours_of(experiment.runs);
    if (hours && runs.insert(experiment.runs.front().name).second) total.hours_of_all += *hours;
    if (experiment.runs.empty()) ++total.unmeasured;
    const fs::path& recipe = page.experiments[i].recipe;
    if (recipe.empty() || !recipes.insert(recipe).second) continue;
    ++total.recipes;
    if (!hours) continue;
    ++total.measured;
    total.hours += *hours;
  }
  return total;
}

Measured measure(const Page& page, const fs::path& runs, const Record& record) {
  Measured measured;
  for (const Experiment& experiment : page.experiments)
    measured.experiments.push_back(measure(experiment, runs, record));
  return measured;
}

}  // namespace whence::results
