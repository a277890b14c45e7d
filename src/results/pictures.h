// The pictures of a page: where they come from and where they will stand.
#pragma once

#include <filesystem>
#include <optional>

#include "whence/results/measured.h"
#include "whence/results/page.h"

namespace whence::results {

/// "results/mnist-3-and-8/sweep-alpha_1.png": relative to the page at `out`. A picture of a named run has that run's
/// name before its own.
std::filesystem::path picture_link(const Experiment& experiment, const Picture& picture,
                                   const std::filesystem::path& out);

/// The finished runs that the picture is of, among those of the whole page: one, or all whose curves it shows. None
/// where one of them is not finished.
std::vector<const Run*> runs_of(const Picture& picture, const MeasuredExperiment& experiment,
                                const Measured& measured);

}  // namespace whence::results
