// Random changes of training images that keep their class.
#pragma once

#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>

#include <cstdint>

namespace whence::models {

/// He et al. 2016, section 4.2: what training on CIFAR-10 usually has.
struct Augmentation {
  bool flip = false;      ///< mirrors each image, left to right, with probability 1/2
  std::int64_t crop = 0;  ///< shifts each image by up to this many pixels each way; what comes in is black
  /// Side of a square, its middle anywhere in the image, that is then blacked out; 0: none (DeVries and Taylor 2017,
  /// "Improved regularization of convolutional neural networks with cutout").
  std::int64_t cutout = 0;

  bool changes() const { return flip || crop > 0 || cutout > 0; }
};

/// images: (N, C, H, W); returns new ones of the same shape, channels-last. Each image has its own draws.
at::Tensor augment(const at::Tensor& images, const Augmentation& options, at::Generator& generator);

}  // namespace whence::models
