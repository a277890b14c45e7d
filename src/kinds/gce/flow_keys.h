// The options of a measurement of information flow, as flags and as Python's keyword arguments.
#pragma once

#include "config/schema.h"

namespace whence::kinds {

/// Keys of flow::FlowOptions.
std::vector<config::Key> flow_keys();

}  // namespace whence::kinds
