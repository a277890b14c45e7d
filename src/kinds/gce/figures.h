// The figures of an explanation, from results to files. Each writes `stem`.png and `stem`.svg.
#pragma once

#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "experiment/figures.h"
#include "kinds/generator/image_model.h"
#include "whence/explain/flow/ablation.h"
#include "whence/explain/flow/sweep.h"

namespace whence::kinds {

struct SweepFigure {
  std::string title, axis;
  std::vector<std::string> class_names, row_labels;
  std::string row_axis = "true class";  ///< what the row labels are
  bool probabilities = false;
};
void draw_sweep(const flow::Sweep& sweep, const SweepFigure& figure, const std::filesystem::path& stem);

/// The factors that figures show, in their order: all causal ones, and of the others the `others` with the largest flow
/// (0: all). `flow`: to_json of a FlowReport.
std::vector<std::string> shown_factors(const nlohmann::json& flow, std::int64_t others);

/// `factors`: those that get a bar beside alpha and beta.
void draw_flow(const nlohmann::json& flow, const std::vector<std::string>& factors, std::size_t classes,
               const std::filesystem::path& stem);

/// `ablation`: to_json of one; `factors`: in the order to draw, the first `causal` are alpha.
void draw_ablation(const nlohmann::json& ablation, const std::vector<std::string>& factors,
                   std::int64_t causal, const std::filesystem::path& stem);

}  // namespace whence::kinds
