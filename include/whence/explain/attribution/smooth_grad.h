// Gradients at noisy copies of the image, g = df/dx at x + N(0, s^2), and what is made of them.
#pragma once

#include "whence/explain/attribution/method.h"

namespace whence::attribution {

struct SmoothGrad {
  std::int64_t samples = 32;  ///< noisy copies
  /// s as a share of the image's range (largest less smallest value).
  double noise = 0.15;
};

/// The mean of g (Smilkov et al. 2017, equation 1).
Attribution smooth_grad(const Request& request, const Options& options);
/// The mean of g^2 (Hooker et al. 2019, section 4.2).
Attribution smooth_grad_squared(const Request& request, const Options& options);
/// The variance of g, by samples - 1 (Adebayo et al. 2018, appendix A).
Attribution var_grad(const Request& request, const Options& options);

inline constexpr Option kSmoothGradOptions[] = {
    {"smooth_grad_samples", IntegerOption{place<&SmoothGrad::samples>, 2, 1'000'000}, "",
     "Noisy copies whose gradients SmoothGrad and VarGrad gather."},
    {"smooth_grad_noise", NumberOption{place<&SmoothGrad::noise>, 0}, "share of the image's range",
     "Standard deviation of the noise."},
};

}  // namespace whence::attribution
