// The table of the kinds of explanation. One more kind is a folder beside this file and a row in kinds.cpp.
#pragma once

#include "experiment/kind.h"

namespace whence::kinds {

/// In the order of execution; the first one that a recipe asks for opens the report.
const experiment::Kinds& kinds();

}  // namespace whence::kinds
