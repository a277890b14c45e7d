// run.json: what made this run, and on what.
#pragma once

#include <optional>

#include "experiment/folder.h"
#include "experiment/recipe.h"
#include "whence/platform/precision.h"

namespace whence::experiment {

/// The precision this run was begun with; nullopt when it was not.
std::optional<Precision> recorded_precision(const RunFolder& folder);

/// Error: an earlier whence made it, whose folders this one does not read. A folder that is no run yet is none.
void check_format(const RunFolder& folder);
bool is_readable(const RunFolder& folder);

/// Chooses the precision of training and writes run.json. A run that was begun goes on in its own precision,
/// whatever would be measured now. Error: this processor does not have it (unless `force`: then the choice is
/// made anew).
Precision record_machine(const RunFolder& folder, const Recipe& recipe, bool force);

}  // namespace whence::experiment
