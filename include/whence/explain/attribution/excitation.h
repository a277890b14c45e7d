// Excitation backprop: the probability that a walk from the class to the image, which only takes positive weights, comes
// through a value.
#pragma once

#include "whence/explain/attribution/method.h"

namespace whence::attribution {

/// Batch normalisations are merged into the layers before them first. Starts with 1 at the target's logit; the values are 0 or
/// more and sum to 1 (Zhang et al. 2016, equation 3). The `completeness_error` says how much of the 1 got lost where a layer
/// has no positive term.
Attribution excitation_backprop(const Request& request, const Options& options);

/// The same less the walk that starts from the target's negated weights in the last layer that has weights, before values below 0
/// are set to 0: what speaks for the class and not for the others (Zhang et al. 2016, section 3.3).
Attribution excitation_difference(const Request& request, const Options& options);
/// With values below 0 set to 0.
Attribution contrastive_excitation_backprop(const Request& request, const Options& options);

}  // namespace whence::attribution
