// The files of web/ that a live report carries; CMake writes them into the program.
#pragma once

#include <string>
#include <string_view>

namespace whence::report {

extern const std::string_view network_script, live_script, live_style;
/// web/gemm.wasm as base64.
std::string matrix_kernel();

}  // namespace whence::report
