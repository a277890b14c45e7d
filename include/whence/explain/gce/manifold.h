// Where images lie, as the pretrained autoencoder knows it: what the causal term draws is held to that. Not of the papers, whose
// generators answer some classifiers with patterns that no image has.
#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

#include "whence/nn/graph/network.h"
#include "whence/platform/precision.h"

namespace whence::gce {

/// An autoencoder as it was at some time of its training.
class Manifold {
 public:
  Manifold(const nn::Network& encoder, const nn::Network& decoder);

  /// Takes over the weights that the two have now.
  void take(const nn::Network& encoder, const nn::Network& decoder);

  /// decode(mean of encode(x)): (N, C, H, W) -> the same, float32, a constant. What no training image has, stripes on a
  /// blurred image say, does not come back.
  at::Tensor nearest(const at::Tensor& images, Precision precision) const;

  /// Its part of a checkpoint.
  std::vector<nn::Network*> networks() { return {&encoder_, &decoder_}; }

 private:
  nn::Network encoder_, decoder_;
};

/// ||x - nearest(x)||^2, summed over pixels and averaged over images (n, C, H, W); a scalar. nearest(x) counts as a constant: the
/// gradient, 2 (x - nearest(x)), moves an image to where the autoencoder would put it, which for small noise is the direction in
/// which images become more probable (Alain and Bengio 2014, theorem 1), and costs no pass back through the autoencoder.
at::Tensor departure(const Manifold& manifold, const at::Tensor& images, Precision precision);

}  // namespace whence::gce
