// What each stage does; pipeline.cpp decides when.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "experiment/session.h"
#include "whence/explain/flow/ablation.h"

namespace whence::experiment {

/// "bound": SSE + KL of each image, (N).
constexpr const char* kTestBounds = "test-bounds.safetensors";
constexpr const char* kValidationBounds = "validation-bounds.safetensors";

// NOLINTNEXTLINE(bugprone-exception-escape): as run/folder.h
struct StageResult {
  nlohmann::json metrics;             ///< its part of metrics.json
  std::vector<std::string> products;  ///< files it made, relative to the folder
  std::string summary;                ///< for the display
  double trained_seconds =
      0;  ///< of a training, with what was done before a kill that left no time to note it
};

struct Stage {
  std::string_view name;
  std::vector<std::string_view> keys;   ///< of the recipe, that its result depends on
  std::vector<std::string_view> after;  ///< stages that its result depends on
  bool expensive;                       ///< other recipe values are an error, not a reason to do it again
  nlohmann::json (*content)(Session&);  ///< what else it depends on
  StageResult (*work)(Session&);
  bool on_demand = false;  ///< done only when it is the last one asked for
};

/// In the order of execution.
const std::vector<Stage>& stages();

/// Hashes of images and labels.
nlohmann::json content_of(const data::Dataset& dataset);

nlohmann::json data_content(Session& session);
StageResult data_stage(Session& session);

nlohmann::json classifier_content(Session& session);
StageResult classifier_stage(Session& session);
/// Error: generator.start names a folder without weights, or with another number of latents.
void check_start(Session& session);
nlohmann::json explanation_content(Session& session);
StageResult explanation_stage(Session& session);

/// What settings are compared by: C and SSE + KL on Session::validation_images.
nlohmann::json validation_content(Session& session);
StageResult validation_stage(Session& session);

/// So that runs can be compared image by image.
void save_bounds(const Session& session, const std::string& file, const flow::Fidelity& fidelity);
/// {"sse", "kl", "se"}
nlohmann::json to_json(const flow::Fidelity& fidelity);

nlohmann::json evaluation_content(Session& session);
StageResult evaluation_stage(Session& session);

/// What the best linear image model would reach, for comparison.
StageResult reference_stage(Session& session);

StageResult counterfactual_stage(Session& session);

nlohmann::json trust_content(Session& session);
/// Errors of trust.other_run: no weights there; those of open_other_run.
void check_other_run(Session& session);
StageResult trust_stage(Session& session);

/// Nothing else than the recipe and other stages.
nlohmann::json no_content(Session& session);
/// Figures and report change with the program.
nlohmann::json program_content(Session& session);
StageResult figures_stage(Session& session);
StageResult report_stage(Session& session);

}  // namespace whence::experiment
