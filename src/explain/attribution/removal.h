// Images with some of their pixels taken out.
#pragma once

#include "whence/explain/attribution/measures.h"

namespace whence::attribution {

class Removal {
 public:
  /// x: (N, C, H, W). Refers to `options`. Error (usage): replacement by a generator that is not there.
  Removal(const at::Tensor& x, const PerturbationOptions& options);

  /// Like x, with the replacement where `removed`, bool (N or 1, 1, H, W), holds.
  at::Tensor without(const at::Tensor& removed) const;

 private:
  /// What comes in the place of pixels, like x: it depends on which ones are missing.
  at::Tensor imputed(const at::Tensor& removed) const;
  at::Tensor generated(const at::Tensor& removed) const;

  const PerturbationOptions& options_;
  at::Tensor x_;
  at::Tensor replacement_;  ///< like x, where it does not depend on what is missing
  at::Tensor noise_;        ///< (1, C, H, W), of imputed pixels
};

/// In which order a map takes the regions of images out.
struct RemovalSteps {
  at::Tensor of_pixel;     ///< int64 (N, 1, H, W): the step that takes the pixel out, from 0 on
  std::int64_t count = 0;  ///< of steps that are made
};
/// Error (usage): as perturbation_curve.
RemovalSteps removal_steps(const at::Tensor& x, const at::Tensor& values, const PerturbationOptions& options);

/// Each missing pixel becomes the weighted mean of its neighbours, 1/6 those beside it and 1/12 those across, of which missing ones
/// are solved for, too (Rong et al. 2022, section 4.3, without its noise); at the border the other neighbours' weights are raised. missing:
/// like x or (N, 1, H, W), bool. An image without any pixel left becomes the mean of each channel. float64, by conjugate gradients to
/// 1e-8 of the right side.
at::Tensor linearly_imputed(const at::Tensor& x, const at::Tensor& missing);

}  // namespace whence::attribution
