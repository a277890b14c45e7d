// Gradients that pass ReLUs in another way.
#pragma once

#include "whence/explain/attribution/method.h"

namespace whence::attribution {

/// A ReLU passes gradients above 0 where its input is above 0 (Springenberg et al. 2015, section 3.4).
Attribution guided_backprop(const Request& request, const Options& options);

/// A ReLU passes gradients above 0, whatever its input (Zeiler and Fergus 2014, section 2.1).
Attribution deconvnet(const Request& request, const Options& options);

}  // namespace whence::attribution
