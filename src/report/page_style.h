// How the report looks.
#pragma once

#include <string_view>

namespace whence::report {

extern const std::string_view page_style;  ///< CSS

}  // namespace whence::report
