// One experiment with several seeds: how its figures spread, and whether the same causes come back.
#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <vector>

#include "experiment/display.h"
#include "experiment/recipe.h"

namespace whence::experiment {

struct SeedRun {
  std::int64_t seed = 0;
  std::filesystem::path folder;
  nlohmann::json metrics;  ///< its metrics.json
};

/// Runs `recipe` with its own seed and the ones after it, `count` (at least 2) in all, each in folder/seed-S; an explanation is
/// compared with that of the next seed (the last with the first), as trust.other_run does. A classifier that the recipe
/// trains is trained with each seed, too. Finished runs are not done again; one that was interrupted goes on. Errors
/// (usage): a recipe with a trust.other_run of its own; a folder that is itself a run.
/// Errors: those of run_stages.
std::vector<SeedRun> run_seeds(const Recipe& recipe, const std::filesystem::path& folder, std::int64_t count,
                               bool force, Display& display);

/// {"title", "runs": [{"seed", "folder"}], "figures": {name: {"title", "median", "least", "most", "values"}}}: every
/// named metric that all runs have measured, in the units of metrics.json; values in the order of the runs. Folders
/// are relative to `folder`.
nlohmann::json summary_of(const Recipe& recipe, const std::vector<SeedRun>& runs,
                          const std::filesystem::path& folder);

/// The same for people: folder/report.html, which opens with how sure the figures are and whether the causes are the
/// same, and follows the first seed's strongest factor through the others.
void report_seeds(const Recipe& recipe, const std::vector<SeedRun>& runs,
                  const std::filesystem::path& folder);

}  // namespace whence::experiment
