#include "experiment/seeds.h"

#include <algorithm>

#include "experiment/pipeline.h"
#include "experiment/sharing.h"
#include "experiment/stages.h"
#include "whence/core/error.h"

namespace whence::experiment {
namespace {

namespace fs = std::filesystem;
using report::Table;

fs::path folder_of(const fs::path& folder, std::int64_t seed) {
  return folder / fmt::format("seed-{}", seed);
}

std::string with_unit(const Metric& metric, double value) {
  const bool unit = !metric.unit.empty();
  return fmt::format("{}{}{}", shown(metric, value), unit ? " " : "", metric.unit);
}

report::Section spread_section(const SeedSpread& spread) {
  Table table{{"", "median", "least", "most"}, {}, "On test images. The spread is over the seeds."};
  for (const SeedRun& run : spread.runs()) table.header.push_back(fmt::format("seed {}", run.seed));
  for (const SeedSpread::Row& each : spread.rows()) {
    const auto& [least, median, most, count] = each.spread;
    std::vector<std::string>& row = table.rows.emplace_back();
    row.push_back(title_of(each.metric));
    for (const double value : {median, least, most}) row.push_back(shown(each.metric, value));
    for (const double value : each.values) row.push_back(shown(each.metric, value));
  }
  return {"figures", "Spread of the metrics", {}, {table}, {}};
}

report::Section runs_section(const SeedSpread& spread, const fs::path& folder) {
  Table table{{"seed", "report", "time"}, {}, ""};
  const SeedSpread::Row* seconds = spread.find("total_seconds");
  for (std::size_t i = 0; i < spread.runs().size(); ++i) {
    const SeedRun& run = spread.runs()[i];
    table.rows.push_back({std::to_string(run.seed),
                          (run.folder.lexically_relative(folder) / "report.html").string(),
                          clock_time(seconds == nullptr ? 0 : seconds->values[i])});
  }
  return {"runs",
          "Each run",
          {"Every seed has its own report beside this one; seeds.json has the metrics."},
          {table},
          {}};
}

}  // namespace

std::vector<SeedRun> run_seeds(const Recipe& recipe, const fs::path& folder, std::int64_t count, bool force,
                               Display& display) {
  if (RunFolder(folder).exists())
    fail_usage("{} is a run, but --seeds needs a folder for several runs; give another one with --out",
               folder.string());
  const std::int64_t first = recipe.seed();
  const auto run = [&](std::int64_t number, std::string_view last) {
    Recipe own = recipe;
    own.get<RunOptions>().seed = first + number;
    const fs::path next = fs::absolute(folder_of(folder, first + (number + 1) % count));
    for (const Kind& kind : *own.kinds)
      if (kind.compare != nullptr && kind.asked(own.values)) kind.compare(own.values, next);
    const fs::path place = folder_of(folder, own.seed());
    display.note(fmt::format("seed {} ({} of {}), {}", own.seed(), number + 1, count, place.string()));
    Session session(own, RunFolder(place));
    PipelineOptions options;
    options.last = last;
    options.force = force;
    run_stages(session, options, display);
  };
  const auto place_of = [&](std::int64_t number) { return folder_of(folder, first + number); };
  for (const std::string_view last : {last_training(*recipe.kinds, recipe.values), PipelineOptions{}.last})
    share_work(
        count, place_of, [&](std::int64_t number) { run(number, last); }, display);
  std::vector<SeedRun> runs;
  for (std::int64_t i = 0; i < count; ++i) {
    const fs::path own = folder_of(folder, first + i);
    runs.push_back({first + i, own, collect_metrics(*recipe.kinds, RunFolder(own))});
  }
  return runs;
}

SeedSpread::SeedSpread(const Recipe& recipe, const std::vector<SeedRun>& runs)
    : recipe_(recipe), runs_(runs) {
  for (const Metric& metric : all_metrics(*recipe.kinds)) {
    std::vector<double> values;
    for (const SeedRun& run : runs)
      if (const auto value = value_of(metric, run.metrics)) values.push_back(*value);
    if (values.size() == runs.size()) rows_.push_back({metric, values, spread_of(values)});
  }
}

const SeedSpread::Row* SeedSpread::find(std::string_view metric) const {
  const auto found = std::ranges::find(rows_, metric, [](const Row& row) { return row.metric.name; });
  return found == rows_.end() ? nullptr : &*found;
}

std::string SeedSpread::Row::median() const { return with_unit(metric, spread.median); }
std::string SeedSpread::Row::range() const {
  return fmt::format("{} to {}", shown(metric, spread.least), shown(metric, spread.most));
}

nlohmann::json summary_of(const SeedSpread& spread, const fs::path& folder) {
  nlohmann::json summary = {{"title", spread.recipe().get<About>().title},
                            {"runs", nlohmann::json::array()},
                            {"figures", nlohmann::json::object()}};
  for (const SeedRun& run : spread.runs())
    summary["runs"].push_back(
        {{"seed", run.seed}, {"folder", run.folder.lexically_relative(folder).string()}});
  for (const SeedSpread::Row& row : spread.rows())
    summary["figures"][std::string(row.metric.name)] = {{"title", row.metric.title},
                                                        {"median", row.spread.median},
                                                        {"least", row.spread.least},
                                                        {"most", row.spread.most},
                                                        {"values", row.values}};
  return summary;
}

void report_seeds(const SeedSpread& spread, const fs::path& folder) {
  report::Page page;
  page.title = fmt::format("{}: {} seeds", spread.recipe().get<About>().title, spread.runs().size());
  page.subtitle = spread.recipe().get<About>().source;
  for (const Kind& kind : *spread.recipe().kinds)
    if (kind.report_seeds != nullptr && kind.asked(spread.recipe().values)) kind.report_seeds(spread, page);
  if (const SeedSpread::Row* accuracy = spread.find("accuracy"); accuracy != nullptr && page.answer.empty())
    page.answer = fmt::format("With {} seeds the classifier is right on **{}** of the test images ({}).",
                              spread.runs().size(), accuracy->median(), accuracy->range());
  page.sections.insert(page.sections.begin(), spread_section(spread));
  page.sections.push_back(runs_section(spread, folder));
  report::write_page(page, folder / "report.html");
}

}  // namespace whence::experiment
