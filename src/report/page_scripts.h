// The files of web/ that a live report carries; CMake writes them into the program.
#pragma once

#include <string>
#include <string_view>

namespace whence::report {

/// What draws in every page, the explorer's, too.
extern const std::string_view parts_script;
/// Everything else that a live report runs, in the order in which it needs each other.
extern const std::string_view live_script, live_style;
/// web/gemm.wasm as base64.
std::string matrix_kernel();

}  // namespace whence::report
