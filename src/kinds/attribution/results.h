// A comparison of methods as rows, and back: blocks of images are computed apart and put together.
#pragma once

#include "experiment/results.h"
#include "kinds/attribution/comparison.h"

namespace whence::kinds {

/// Of one block of images: every tensor of the comparison as "METHOD/values", "METHOD/morf", ...; a method that was skipped is a note.
experiment::Results results_of(const Comparison& comparison, const AttributionOptions& options);
/// Of all blocks. A method that was skipped in one of them is skipped. Error: no method is left.
Comparison comparison_of(const experiment::Results& results);
/// As far as to_json needs them.
AttributionOptions options_of(const experiment::Results& results);

}  // namespace whence::kinds
