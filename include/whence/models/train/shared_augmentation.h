// Random changes that real and generated images share, so that a discriminator cannot learn a small set by heart.
#pragma once

#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>

namespace whence::models {

/// Zhao et al. 2020, "Differentiable augmentation for data-efficient GAN training": the generator learns through the changes, and its
/// images do not show them.
struct SharedAugmentation {
  bool colour = false;       ///< brightness, saturation and contrast
  bool translation = false;  ///< up to 1/8 of each side, what comes in is grey
  bool cutout = false;       ///< a square of half the side becomes grey

  bool changes() const { return colour || translation || cutout; }
};

/// images: (N, C, H, W) in [-1, 1], whose middle is grey; each has its own draws. Differentiable in the images.
at::Tensor augment(const at::Tensor& images, const SharedAugmentation& options, at::Generator& generator);

}  // namespace whence::models
