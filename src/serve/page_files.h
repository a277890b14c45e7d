// The files of web/ that the explorer serves; CMake writes them into the program.
#pragma once

#include <string_view>

namespace whence::serve {

extern const std::string_view explore_page, explore_script, explore_style;

}  // namespace whence::serve
