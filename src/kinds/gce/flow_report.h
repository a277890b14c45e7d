// Sections on information flow and ablation, of images and of texts.
#pragma once

#include "experiment/kind.h"

namespace whence::kinds {

/// `flow`: to_json of a FlowReport; beside its figure, "information-flow".
report::Section flow_section(const experiment::Run& run, const nlohmann::json& flow, std::size_t classes);
/// `ablation`: to_json of one; `factors`: all, in their order; `subjects`: "test images", say. Beside its figure, "ablation".
report::Section ablation_section(const experiment::Run& run, const nlohmann::json& ablation,
                                 const std::vector<std::string>& factors, const std::string& subjects);

}  // namespace whence::kinds
