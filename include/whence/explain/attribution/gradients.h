// Attributions that are the gradient of f at the image.
#pragma once

#include "whence/explain/attribution/method.h"

namespace whence::attribution {

/// df/dx: what a small change would do (Simonyan, Vedaldi and Zisserman 2014, section 3).
Attribution gradient(const Request& request, const Options& options);

/// The largest |df/dx| of a pixel's channels (Simonyan, Vedaldi and Zisserman 2014, section 3.1), (N, 1, H, W).
Attribution gradient_magnitude(const Request& request, const Options& options);

/// x df/dx (Shrikumar et al. 2016): complete for functions that are linear and 0 for a black image.
Attribution input_times_gradient(const Request& request, const Options& options);

}  // namespace whence::attribution
