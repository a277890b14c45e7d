#include "whence/run/version.h"

namespace whence::run {

std::string_view version() { return WHENCE_VERSION; }

}  // namespace whence::run
