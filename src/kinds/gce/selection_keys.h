// The options of a selection, as the command line and Python have them.
#pragma once

#include <vector>

#include "config/schema.h"

namespace whence::kinds {

/// Of gce::SelectionOptions and SelectionRequest; without budget and start, which each has in its own form. To assign "rule" gives all others of
/// gce::SelectionOptions the rule's defaults.
std::vector<config::Key> selection_keys();

}  // namespace whence::kinds
