#include <fmt/ranges.h>

#include <set>

#include "facts.h"
#include "pictures.h"
#include "whence/results/write.h"
#include "whence/run/display.h"

namespace whence::results {
namespace {

namespace fs = std::filesystem;

/// A cell of a table: '|' would end it.
std::string cell(const std::string& text) {
  std::string safe;
  for (const char letter : text)
    safe += letter == '|' ? "\\|" : letter == '\n' ? " " : std::string(1, letter);
  return safe;
}

std::string row_of(const std::vector<std::string>& cells) {
  std::string row = "|";
  for (const std::string& text : cells) row += " " + cell(text) + " |";
  return row + "\n";
}

std::string with_unit(const std::string& number, const Figure& figure) {
  return figure.unit.empty() ? number : number + " " + figure.unit;
}

std::string shown(double value, const Figure& figure) { return fmt::format("{:.{}f}", value, figure.digits); }

std::string shown(const Quoted& quoted, const Figure& figure) {
  if (!quoted.number) return quoted.words;
  return with_unit(fmt::format("{:g}", *quoted.number), figure);
}

std::string shown(const Bar& bar, const std::string& unit) {
  return fmt::format("{} {:g}{}{}", bar.at_least ? "≥" : "≤", bar.value, unit.empty() ? "" : " ", unit);
}

/// Enough digits that what is missing is never shown as nothing.
std::string missing(double by, const Figure& figure) {
  const std::string text = shown(by, figure);
  return with_unit(text.find_first_of("123456789") == std::string::npos ? fmt::format("{:.1g}", by) : text,
                   figure);
}

std::string verdict(const Figure& figure, const MeasuredFigure& measured) {
  if (!figure.bar) return "";
  if (!measured.measured()) return "not measured yet";
  if (figure.bar->reached_by(measured.spread.median)) return "reached";
  return fmt::format("**missed** by {}", missing(figure.bar->missed_by(measured.spread.median), figure));
}

std::string range(const Figure& figure, const run::Spread& spread) {
  if (spread.count < 2) return "";
  return fmt::format("{} to {}", shown(spread.least, figure), shown(spread.most, figure));
}

std::string plural(std::size_t count, const std::string& one) {
  return fmt::format("{} {}{}", count, one, count == 1 ? "" : "s");
}

/// A column that is empty in all rows is left out.
std::string table_of(const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> columns;
  for (std::size_t column = 0; column < rows.front().size(); ++column) {
    const auto filled = [&](const std::vector<std::string>& row) { return !row[column].empty(); };
    if (column == 0 || std::any_of(rows.begin() + 1, rows.end(), filled)) columns.push_back(column);
  }
  std::string text;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    std::vector<std::string> cells;
    for (const std::size_t column : columns) cells.push_back(rows[i][column]);
    text += row_of(cells);
    if (i == 0) text += row_of(std::vector<std::string>(columns.size(), "---"));
  }
  return text;
}

std::string figures_table(const Experiment& experiment, const MeasuredExperiment& measured) {
  std::vector<std::vector<std::string>> rows = {{"", "stated", "reference",
                                                 measured.runs.size() > 1 ? "median" : "measured",
                                                 "least to most", "bar", "verdict"}};
  for (std::size_t i = 0; i < experiment.figures.size(); ++i) {
    const Figure& figure = experiment.figures[i];
    const MeasuredFigure& value = measured.figures[i];
    rows.push_back({figure.name, shown(figure.stated, figure), shown(figure.reference, figure),
                    value.measured() ? with_unit(shown(value.spread.median, figure), figure) : "",
                    range(figure, value.spread), figure.bar ? shown(*figure.bar, figure.unit) : "",
                    verdict(figure, value)});
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
  return text + "\n\n";
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
  return {fmt::format("[{}](#{})", experiment.name, experiment.anchor()),
          fmt::format("{} of {}", measured.runs.size(), experiment.runs.size()),
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
  if (!page.hours) return text + ".\n\n";
  // What is still to be measured can only add to it.
  const std::string verdict = !page.hours->reached_by(total.hours) && (complete || !page.hours->at_least)
                                  ? fmt::format("**missed** by {:.2g} h", page.hours->missed_by(total.hours))
                              : complete ? "reached"
                                         : "not measured yet";
  return fmt::format("{}; bar {}: {}.\n\n", text, shown(*page.hours, "h"), verdict);
}

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
         hours_line(page, measured) + table_of(rows) + "\n";
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
