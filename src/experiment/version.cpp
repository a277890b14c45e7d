#include "experiment/version.h"

namespace whence::experiment {

std::string_view version() { return WHENCE_VERSION; }

}  // namespace whence::experiment
