// Integrated gradients whose baselines are images of the data.
#pragma once

#include "whence/explain/attribution/method.h"

namespace whence::attribution {

struct ExpectedGradients {
  std::int64_t samples = 64;  ///< draws of a baseline and of a point on the way from it
};

/// E[(x - x') df/dx(x' + a (x - x'))] over baselines x' drawn from Options::references and a in (0, 1) (Erion et al. 2021,
/// equation 3). Draw s of S takes a in ((s - 1) / S, s / S), so that the way is covered evenly. Complete towards the mean of f
/// over the drawn baselines. The standard error is an upper estimate, since it leaves the even cover out of account. Error
/// (usage): references of another shape.
Attribution expected_gradients(const Request& request, const Options& options);

inline constexpr Option kExpectedGradientsOptions[] = {
    {"expected_gradients_samples", IntegerOption{place<&ExpectedGradients::samples>, 2, 1'000'000}, "",
     "Draws of a baseline from the data and of a point on the way from it."},
};

}  // namespace whence::attribution
