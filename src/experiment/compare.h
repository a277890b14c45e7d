// Several runs on one page.
#pragma once

#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "experiment/kind.h"

namespace whence::experiment {

/// What sets recipes apart, a text each: "lambda = 0.05", "causal = 2, noncausal = 62". `recipes`: values by key, as
/// recipe_values gives them. Where nothing does, `otherwise`, one for each.
std::vector<std::string> names_apart(const std::vector<nlohmann::json>& recipes,
                                     const std::vector<std::string>& otherwise);

/// Writes one page with every metric of the runs, side by side. Runs whose recipes differ only in their seed are one column,
/// with the median and the spread over the seeds. Errors: (usage) fewer than two folders; a folder that is no run, or that has
/// measured nothing yet.
void compare_runs(const Kinds& kinds, const std::vector<std::filesystem::path>& folders,
                  const std::filesystem::path& page);

}  // namespace whence::experiment
