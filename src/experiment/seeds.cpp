#include "experiment/seeds.h"

#include "experiment/metrics.h"
#include "experiment/pipeline.h"
#include "whence/core/error.h"
#include "whence/core/files.h"

namespace whence::experiment {
namespace {

namespace fs = std::filesystem;

void check(const Recipe& recipe, const fs::path& folder) {
  if (!recipe.trust.other_run.empty())
    fail_usage("trust.other_run is {}, but --seeds compares each seed with the next; leave one of them out",
               recipe.trust.other_run);
  if (RunFolder(folder).exists())
    fail_usage("{} is a run itself, where --seeds makes a folder of runs; give another one with --out",
               folder.string());
}

fs::path folder_of(const fs::path& folder, std::int64_t seed) {
  return folder / fmt::format("seed-{}", seed);
}

}  // namespace

std::vector<SeedRun> run_seeds(const Recipe& recipe, const fs::path& folder, std::int64_t count, bool force,
                               Display& display) {
  check(recipe, folder);
  const std::int64_t first = recipe.run.seed;
  const bool explains = recipe.generator.latents == 0;
  const auto run = [&](std::int64_t number, std::string_view last) {
    Recipe own = recipe;
    own.run.seed = first + number;
    if (explains)
      own.trust.other_run = fs::absolute(folder_of(folder, first + (number + 1) % count)).string();
    const fs::path place = folder_of(folder, own.run.seed);
    display.note(fmt::format("seed {} ({} of {}), {}", own.run.seed, number + 1, count, place.string()));
    Session session(own, RunFolder(place));
    PipelineOptions options;
    options.last = last;
    options.force = force;
    run_stages(session, options, display);
  };
  for (std::int64_t i = 0; i < count; ++i) run(i, "explanation");
  std::vector<SeedRun> runs;
  for (std::int64_t i = 0; i < count; ++i) {
    run(i, PipelineOptions{}.last);
    const fs::path own = folder_of(folder, first + i);
    runs.push_back({first + i, own, collect_metrics(RunFolder(own))});
  }
  return runs;
}

nlohmann::json summary_of(const Recipe& recipe, const std::vector<SeedRun>& runs, const fs::path& folder) {
  nlohmann::json summary = {
      {"title", recipe.title}, {"runs", nlohmann::json::array()}, {"figures", nlohmann::json::object()}};
  for (const SeedRun& run : runs)
    summary["runs"].push_back(
        {{"seed", run.seed}, {"folder", run.folder.lexically_relative(folder).string()}});
  for (const NamedMetric& figure : named_metrics()) {
    std::vector<double> values;
    for (const SeedRun& run : runs)
      if (const auto value = metric(run.metrics, figure.name)) values.push_back(*value);
    if (values.size() < runs.size()) continue;
    const Spread spread = spread_of(values);
    summary["figures"][std::string(figure.name)] = {{"title", figure.title},
                                                    {"median", spread.median},
                                                    {"least", spread.least},
                                                    {"most", spread.most},
                                                    {"values", values}};
  }
  return summary;
}

}  // namespace whence::experiment
