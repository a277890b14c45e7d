// One experiment with several seeds: how its metrics spread, and whether the same explanations come back.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "experiment/display.h"
#include "experiment/metrics.h"
#include "experiment/recipe.h"

namespace whence::experiment {

// NOLINTNEXTLINE(bugprone-exception-escape): as StageResult
struct SeedRun {
  std::int64_t seed = 0;
  std::filesystem::path folder;
  nlohmann::json metrics;  ///< its metrics.json
};

/// Runs `recipe` with its own seed and the ones after it, `count` (at least 2) in all, each in folder/seed-S; kinds that can
/// compare a run with that of the next seed do (the last with the first). A classifier that the recipe trains is trained
/// with each seed, too. Several processes may be given the same call: they share the seeds (experiment/sharing.h). Finished runs are not done again; one that was interrupted goes on. Errors (usage): those of
/// Kind::compare; a folder that is itself a run. Errors: those of run_stages.
std::vector<SeedRun> run_seeds(const Recipe& recipe, const std::filesystem::path& folder, std::int64_t count,
                               bool force, Display& display);

/// Every metric that all runs have measured, over the runs.
class SeedSpread {
 public:
  SeedSpread(const Recipe& recipe, const std::vector<SeedRun>& runs);

  struct Row {
    Metric metric;
    std::vector<double> values;  ///< in the order of the runs
    Spread spread;

    std::string median() const;  ///< "0.684 nats"
    std::string range() const;   ///< "0.683 to 0.685"
  };

  const Recipe& recipe() const { return recipe_; }
  const std::vector<SeedRun>& runs() const { return runs_; }
  const std::vector<Row>& rows() const { return rows_; }
  /// nullptr where it was not measured.
  const Row* find(std::string_view metric) const;

 private:
  const Recipe& recipe_;
  const std::vector<SeedRun>& runs_;
  std::vector<Row> rows_;
};

/// {"title", "runs": [{"seed", "folder"}], "figures": {name: {"title", "median", "least", "most", "values"}}}, in the units of
/// metrics.json. Folders are relative to `folder`.
nlohmann::json summary_of(const SeedSpread& spread, const std::filesystem::path& folder);

/// The same for people: folder/report.html, which opens with what the first kind says over all runs.
void report_seeds(const SeedSpread& spread, const std::filesystem::path& folder);

}  // namespace whence::experiment
