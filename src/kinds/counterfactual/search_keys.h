// The options of a search for counterfactuals, as flags and as Python's keyword arguments.
#pragma once

#include "config/schema.h"

namespace whence::kinds {

/// Keys of counterfactual::CounterfactualOptions, without the class to move to.
std::vector<config::Key> counterfactual_search_keys();

}  // namespace whence::kinds
