// The version of whence.
#pragma once

#include <string_view>

namespace whence::experiment {

std::string_view version();

}  // namespace whence::experiment
