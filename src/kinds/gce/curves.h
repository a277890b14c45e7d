// Training curves: of one run, or of several against each other.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "experiment/kind.h"
#include "experiment/log.h"
#include "report/figures.h"

namespace whence::kinds {

using experiment::Curve;

struct NamedCurve {
  std::string name;
  Curve curve;
};

/// C, leak, SSE and KL over the steps of training, a panel each, a line for each curve that has it. Nothing where no
/// curve has two steps.
std::optional<report::LineChart> training_chart(const std::vector<NamedCurve>& curves);

/// The curve of a run's explanation (or autoencoder), from its log.jsonl.
Curve training_curve(const std::filesystem::path& run);

/// The chart of several runs' trainings, each named by what sets its recipe apart, or by its folder. Errors: a
/// folder that is no run; no run with two logged steps; (usage) a run whose training has not begun.
report::LineChart compare_trainings(const experiment::Kinds& kinds,
                                    const std::vector<std::filesystem::path>& runs);

}  // namespace whence::kinds
