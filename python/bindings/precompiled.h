// What every file of the module includes.
#pragma once

#include <torch/csrc/utils/pybind.h>

#include "core/precompiled.h"
