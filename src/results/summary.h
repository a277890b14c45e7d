// What stands above the sections of a page.
#pragma once

#include <string>

#include "whence/results/measured.h"

namespace whence::results {

/// How many bars are reached, the time of all recipes, a table of the experiments and one of the bars.
std::string summary(const Page& page, const Measured& measured);

}  // namespace whence::results
