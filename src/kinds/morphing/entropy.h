// Entropy and gradients along paths between training images, as numbers, a sentence and a figure.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "kinds/morphing/study.h"
#include "report/figures.h"
#include "whence/explain/counterfactual/path_entropy.h"

namespace whence::kinds {

/// Of one path at least. {"pairs", "steps", "r": {"values", "steps", "path"}, "mean_step", "window", "in_window", "outside", "ambiguous_start", "ambiguous_end",
/// "mean": {"entropy", "gradient"}, "example": {"from", "to", "entropy", "gradient", "mean_step", "deviation", "r"}}. `window`: the mean width
/// of a path's window, steps; in_window, outside: the mean gradient of steps in the windows and outside; ambiguous_start: share of windows
/// that hold the first step. The example is the path, among those whose window lies on them, whose r is nearest to the median.
nlohmann::json to_json(const counterfactual::PathEntropies& entropies,
                       const std::vector<std::string>& class_names);
/// Of `pairs` paths, as Parafita 2018 has them; null where no path leads from one class to another. Errors: those of
/// counterfactual::path_entropies.
nlohmann::json path_entropy(const MorphingModels& models, std::int64_t pairs);

// From what to_json gives.

/// "Pearson's r of entropy and gradient on 100 paths: ..."
std::string entropy_sentence(const nlohmann::json& entropy);
/// Entropy and gradient of the example and of all paths, step by step, with the example's mean entropy step and its window.
report::LineChart entropy_chart(const nlohmann::json& entropy);
report::Section entropy_section_of(const nlohmann::json& entropy);

}  // namespace whence::kinds
