#include <fmt/ranges.h>

#include <set>

#include "facts.h"
#include "format.h"
#include "pictures.h"
#include "summary.h"
#include "whence/results/write.h"
#include "whence/run/display.h"

namespace whence::results {
namespace {

namespace fs = std::filesystem;

std::string figures_table(const Experiment& experiment, const MeasuredExperiment& measured) {
  std::vector<std::vector<std::string>> rows = {{"", "stated", "reference",
                                                 measured.runs.size() > 1 ? "median" : "measured",
                                                 "least to most", "bar", "verdict"}};
  for (std::size_t i = 0; i < experiment.figures.size(); ++i) {
    const std::size_t runs = measured.runs.size(), with = measured.figures[i].spread.count;
    std::vector<std::string> row = {
        experiment.figures[i].name +
        (with < runs ? fmt::format(" (of {} of {})", with, plural(runs, "run")) : "")};
    for (std::string& cell : cells_of(experiment.figures[i], measured.figures[i]))
      row.push_back(std::move(cell));
    rows.push_back(std::move(row));
  }
  return table_of(rows);
}

/// "Intel(R) Xeon(R) Processor, 2 cores, LibTorch 1.13.0, bfloat16, whence 0.1.0"
std::string machine_of(const nlohmann::json& facts_of_run) {
  std::vector<std::string> facts;
  for (const auto& [pointer, form] : kFacts) {
    const nlohmann::json::json_pointer at(pointer);
    if (!facts_of_run.contains(at)) continue;
    const nlohmann::json& value = facts_of_run.at(at);
    facts.push_back(
        fmt::format(fmt::runtime(form), value.is_string() ? value.get<std::string>() : value.dump()));
  }
  return fmt::format("{}", fmt::join(facts, ", "));
}

/// "training of the classifier 2:03"; nothing for runs that do not say.
void add_time(const std::string& what, const char* metric, const MeasuredExperiment& measured,
              std::vector<std::string>& facts) {
  std::vector<double> seconds;
  for (const Run& run : measured.runs)
    if (const auto value = run.figures.find(metric); value != run.figures.end())
      seconds.push_back(value->second);
  if (!seconds.empty()) facts.push_back(what + run::clock_time(run::spread_of(std::move(seconds)).median));
}

std::string facts_line(const Experiment& experiment, const MeasuredExperiment& measured) {
  std::vector<std::string> seeds, facts;
  std::set<std::string> machines;
  for (const Run& run : measured.runs) {
    seeds.push_back(run.facts.contains("seed") ? run.facts["seed"].dump() : "?");
    machines.insert(machine_of(run.facts));
  }
  const std::string count =
      measured.runs.size() == experiment.runs.size()
          ? plural(measured.runs.size(), "run")
          : fmt::format("{} of {}", measured.runs.size(), plural(experiment.runs.size(), "run"));
  facts.push_back(fmt::format("{} (seed {})", count, fmt::join(seeds, ", ")));
  add_time("training of the classifier ", "classifier_seconds", measured, facts);
  add_time("of the generator ", "training_seconds", measured, facts);
  add_time("everything ", "total_seconds", measured, facts);
  add_time("selection ", "seconds", measured, facts);
  return fmt::format("{}; {}.\n\n", fmt::join(facts, ", "), fmt::join(machines, "; "));
}

std::string recipe_line(const Experiment& experiment, const fs::path& out) {
  if (experiment.recipe.empty()) return "";
  const fs::path link = fs::absolute(experiment.recipe)
                            .lexically_normal()
                            .lexically_relative(fs::absolute(out).lexically_normal().parent_path());
  std::string text =
      fmt::format("Recipe: [{}]({})", experiment.recipe.filename().string(), link.generic_string());
  for (const std::string& setting : experiment.settings) text += fmt::format(", `--set {}`", setting);
  text += "\n\n";
  if (!experiment.before.empty())
    text += fmt::format("First, whose results the runs take over:\n\n```sh\n{}\n```\n\n",
                        fmt::join(experiment.before, "\n"));
  return text;
}

std::string paragraph(const std::string& begin, const std::string& text) {
  const std::size_t end = text.find_last_not_of(" \n");
  return end == std::string::npos ? "" : begin + text.substr(0, end + 1) + "\n\n";
}

std::string pictures(const Experiment& experiment, const MeasuredExperiment& measured, const Measured& all,
                     const fs::path& out) {
  std::string text;
  for (const Picture& picture : experiment.pictures) {
    if (runs_of(picture, measured, all).empty()) continue;
    text += fmt::format("![{}]({})\n\n*{}*\n\n", picture.caption,
                        picture_link(experiment, picture, out).generic_string(), picture.caption);
  }
  return text;
}

/// A bar that is missed asks for a reason; without one, the page says that it has none.
std::string shortfall(const Experiment& experiment, const MeasuredExperiment& measured) {
  const bool missed = tally(experiment, measured).missed > 0;
  if (experiment.shortfall.empty() && missed) return "Why it falls short is not explained yet.\n\n";
  return paragraph("Why it falls short: ", experiment.shortfall);
}

std::string section(const Experiment& experiment, const MeasuredExperiment& measured, const Measured& all,
                    const fs::path& out) {
  std::string text = fmt::format("<a id=\"{}\"></a>\n\n## {}\n\n", experiment.anchor(), experiment.name);
  text += paragraph("Source: ", experiment.source) + recipe_line(experiment, out);
  text += paragraph("Stated: ", experiment.stated);
  if (!experiment.figures.empty()) text += figures_table(experiment, measured) + "\n";
  text += measured.runs.empty() ? "Not measured yet.\n\n" : facts_line(experiment, measured);
  for (const std::string& difference : measured.differences)
    text += fmt::format("**The runs are of another recipe**: {}.\n\n", difference);
  text += shortfall(experiment, measured) + paragraph("", experiment.remark);
  return text + pictures(experiment, measured, all, out);
}

}  // namespace

std::string markdown(const Page& page, const Measured& measured, const fs::path& out) {
  std::string text =
      fmt::format("<!-- Written by `whence results {}`: change that file, not this one. -->\n\n# {}\n\n",
                  page.file.filename().string(), page.title);
  text += paragraph("", page.introduction) + summary(page, measured);
  for (std::size_t i = 0; i < page.experiments.size(); ++i)
    text += section(page.experiments[i], measured.experiments[i], measured, out);
  while (text.ends_with("\n\n")) text.pop_back();
  return text;
}

}  // namespace whence::results
