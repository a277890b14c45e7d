// What the tests of kinds of explanation share.
#pragma once

#include "experiment/recipe.h"
#include "experiment/session.h"
#include "kinds/gce/gce.h"
#include "kinds/kinds.h"

namespace whence::kinds {

using namespace experiment;

}  // namespace whence::kinds
