// The version of whence.
#pragma once

#include <string_view>

namespace whence::run {

std::string_view version();

}  // namespace whence::run
