#include "summary.h"

#include <fmt/ranges.h>

#include "format.h"

namespace whence::results {
namespace {

std::string link_to(const Experiment& experiment) {
  return fmt::format("[{}](#{})", experiment.name, experiment.anchor());
}

std::string runs_of(const Experiment& experiment, const MeasuredExperiment& measured) {
  return fmt::format("{} of {}", measured.runs.size(), experiment.runs.size());
}

/// What an experiment's bars have come to, for the table at the top.
std::vector<std::string> summary_row(const Experiment& experiment, const MeasuredExperiment& measured) {
  const Tally bars = tally(experiment, measured);
  std::vector<std::string> missed;
  for (std::size_t i = 0; i < experiment.figures.size(); ++i) {
    const Figure& figure = experiment.figures[i];
    const MeasuredFigure& value = measured.figures[i];
    if (!figure.bar || !value.measured() || figure.bar->reached_by(value.spread.median)) continue;
    missed.push_back(fmt::format("{}: {}, bar {}", figure.name,
                                 with_unit(shown(value.spread.median, figure), figure),
                                 shown(*figure.bar, figure.unit)));
  }
  return {link_to(experiment), runs_of(experiment, measured),
          bars.bars() == 0        ? "no bars"
          : measured.runs.empty() ? "not measured yet"
                                  : fmt::format("{} of {}", bars.reached, bars.bars()),
          fmt::format("{}", fmt::join(missed, "; "))};
}

std::string hours_line(const Page& page, const Measured& measured) {
  const TotalTime total = total_time(page, measured);
  if (total.recipes == 0) return "";
  const bool complete = total.measured == total.recipes;
  std::string text = fmt::format("Time of all recipes, each run once: {:.2f} hours", total.hours);
  if (!complete) text += fmt::format(" for the {} of {} that are measured", total.measured, total.recipes);
  const std::string with_variations =
      fmt::format(" With every variation and selection below, each once{}: {:.2f} hours.",
                  total.unmeasured > 0 ? fmt::format(" ({} not measured yet)", total.unmeasured) : "",
                  total.hours_of_all);
  if (!page.hours) return text + "." + with_variations + "\n\n";
  // What is still to be measured can only add to it.
  const std::string verdict = !page.hours->reached_by(total.hours) && (complete || !page.hours->at_least)
                                  ? fmt::format("**missed** by {:.2g} h", page.hours->missed_by(total.hours))
                              : complete ? "reached"
                                         : "not measured yet";
  return fmt::format("{}; bar {}: {}.{}\n\n", text, shown(*page.hours, "h"), verdict, with_variations);
}

/// Every figure that a bar is set for, folded: a reader wants those that are missed first.
std::string bars_table(const Page& page, const Measured& measured) {
  std::vector<std::vector<std::string>> rows = {
      {"experiment", "figure", "stated", "reference", "median", "least to most", "bar", "verdict", "runs"}};
  for (std::size_t i = 0; i < page.experiments.size(); ++i) {
    const Experiment& experiment = page.experiments[i];
    for (std::size_t j = 0; j < experiment.figures.size(); ++j) {
      const Figure& figure = experiment.figures[j];
      if (!figure.bar) continue;
      std::vector<std::string> row = {link_to(experiment), figure.name};
      for (std::string& cell : cells_of(figure, measured.experiments[i].figures[j]))
        row.push_back(std::move(cell));
      row.push_back(runs_of(experiment, measured.experiments[i]));
      rows.push_back(std::move(row));
    }
  }
  if (rows.size() == 1) return "";
  return fmt::format("<details>\n<summary>All {}</summary>\n\n{}\n</details>\n\n",
                     plural(rows.size() - 1, "bar"), table_of(rows));
}

}  // namespace

std::string summary(const Page& page, const Measured& measured) {
  Tally sum;
  std::vector<std::vector<std::string>> rows = {{"experiment", "runs", "bars reached", "missed"}};
  for (std::size_t i = 0; i < page.experiments.size(); ++i) {
    const Tally one = tally(page.experiments[i], measured.experiments[i]);
    sum.reached += one.reached;
    sum.missed += one.missed;
    sum.unmeasured += one.unmeasured;
    rows.push_back(summary_row(page.experiments[i], measured.experiments[i]));
  }
  return fmt::format("**Bars: {} reached, {} missed, {} not measured yet.**\n\n", sum.reached, sum.missed,
                     sum.unmeasured) +
         hours_line(page, measured) + table_of(rows) + "\n" + bars_table(page, measured);
}

}  // namespace whence::results
