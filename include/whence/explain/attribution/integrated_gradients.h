// Gradients along the straight way from a baseline to the image.
#pragma once

#include "whence/explain/attribution/baseline.h"

namespace whence::attribution {

struct IntegratedGradients {
  /// Points of the Gauss-Legendre quadrature: exact for polynomials of degree 2 steps - 1 on the way.
  std::int64_t steps = 32;
  double level = 0;  ///< the baseline x' is an image of this grey, unless Baseline says otherwise
};

/// (x - x') times the mean of df/dx on the straight way from x' to x (Sundararajan, Taly and Yan 2017, equation 1). The values sum
/// to f(x) - f(x'), and `completeness_error` says how nearly: networks with ReLUs have kinks that quadrature feels. Errors
/// (usage): those of baseline_of.
Attribution integrated_gradients(const Request& request, const Options& options);

inline constexpr Option kIntegratedGradientsOptions[] = {
    {"integrated_gradients_steps", IntegerOption{place<&IntegratedGradients::steps>, 1, 100'000}, "",
     "Points on the way from the baseline to the image."},
    {"integrated_gradients_baseline", NumberOption{place<&IntegratedGradients::level>, 0, 1}, "",
     "Grey level of the baseline; 0 is black."},
    kBaselineImage,
    kBaselineBlur,
    kBaselineNoise,
};

}  // namespace whence::attribution
