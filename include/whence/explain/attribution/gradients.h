// Attributions that are a gradient of f, or a mean of gradients near the image. See attribution.h for shapes.
#pragma once

#include <ATen/core/Generator.h>

#include "whence/explain/attribution/attribution.h"

namespace whence::attribution {

/// df/dx: what a small change would do (Simonyan, Vedaldi and Zisserman 2014).
Attribution gradient(const models::Classifier& classifier, const at::Tensor& x, const at::Tensor& target,
                     Score score);

/// x df/dx (Shrikumar et al. 2016): complete for functions that are linear and 0 for a black image.
Attribution input_times_gradient(const models::Classifier& classifier, const at::Tensor& x,
                                 const at::Tensor& target, Score score);

struct SmoothGrad {
  std::int64_t samples = 32;  ///< gradients that are averaged
  /// Standard deviation of the noise, as a share of the image's range (largest less smallest value).
  double noise = 0.15;
};
/// The mean of df/dx at x + N(0, s^2), s = noise (max x - min x) (Smilkov et al. 2017, equation 1). Errors (usage): fewer than 1
/// sample, noise below 0.
Attribution smooth_grad(const models::Classifier& classifier, const at::Tensor& x, const at::Tensor& target,
                        Score score, const SmoothGrad& options, at::Generator& generator);

struct IntegratedGradients {
  at::Tensor baseline =
      {};  ///< x', (C, H, W) or like x: an image without what is asked about; undefined: black
  /// Points of the Gauss-Legendre quadrature: exact for polynomials of degree 2 steps - 1 on the way.
  std::int64_t steps = 32;
};
/// (x - x') times the mean of df/dx on the straight way from x' to x (Sundararajan, Taly and Yan 2017, equation 1); the values sum to
/// f(x) - f(x'), and `completeness_error` says how nearly: networks with ReLUs have kinks that quadrature feels. Errors (usage):
/// fewer than 1 step, a baseline of another shape.
Attribution integrated_gradients(const models::Classifier& classifier, const at::Tensor& x,
                                 const at::Tensor& target, Score score, const IntegratedGradients& options);

}  // namespace whence::attribution
