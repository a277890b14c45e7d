// Adversarial changes of pixels: the control of every counterfactual. They change the answer and not the class.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string_view>

#include "whence/core/progress.h"
#include "whence/models/roles.h"

namespace whence::counterfactual {

enum class Ball { l2, linf };
std::string_view name_of(Ball ball);

struct AdversarialOptions {
  Ball ball = Ball::l2;
  double entropy = 0.01;  ///< stopping rule, as MorphOptions::entropy
  /// The radius grows by the root of 2 from `least` to `most` until an image is finished. In units of a value's range; the L2 radius is
  /// times the root of the number of values, so that both balls allow the same root mean square.
  double least = 0.01, most = 0.7;
  std::int64_t steps = 10;   ///< for each radius
  std::int64_t batch = 256;  ///< images at once
};

struct AdversarialChanges {
  at::Tensor images;  ///< (n, C, H, W), in [0, 1]
  at::Tensor found;   ///< bool (n)
  at::Tensor steps;   ///< int64 (n)
  double seconds = 0;
};

/// Projected gradient ascent of f_to less the largest other logit (Madry et al. 2018), for images (n, C, H, W). from, to: int64 (n).
/// Deterministic.
AdversarialChanges change_pixels(const models::Classifier& classifier, const at::Tensor& images,
                                 const at::Tensor& from, const at::Tensor& to,
                                 const AdversarialOptions& options, const ProgressCallback& progress = {});

}  // namespace whence::counterfactual
