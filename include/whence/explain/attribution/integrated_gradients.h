// Gradients along the straight way from a baseline to the image.
#pragma once

#include "whence/explain/attribution/method.h"

namespace whence::attribution {

struct IntegratedGradients {
  /// Points of the Gauss-Legendre quadrature: exact for polynomials of degree 2 steps - 1 on the way.
  std::int64_t steps = 32;
  double level = 0;  ///< the baseline x' is an image of this grey
  /// x' itself where it is defined, (C, H, W) or one for each image: an image without what is asked about.
  at::Tensor baseline = {};
};

/// (x - x') times the mean of df/dx on the straight way from x' to x (Sundararajan, Taly and Yan 2017, equation 1). The values sum
/// to f(x) - f(x'), and `completeness_error` says how nearly: networks with ReLUs have kinks that quadrature feels. Error (usage):
/// a baseline of another shape.
Attribution integrated_gradients(const Request& request, const Options& options);

inline constexpr Option kIntegratedGradientsOptions[] = {
    {"integrated_gradients_steps", IntegerOption{place<&IntegratedGradients::steps>, 1, 100'000}, "",
     "Points on the way from the baseline to the image."},
    {"integrated_gradients_baseline", NumberOption{place<&IntegratedGradients::level>, 0, 1}, "",
     "Grey level of the baseline; 0 is black."},
};

}  // namespace whence::attribution
