// Spectral normalisation of a discriminator (Miyato et al. 2018).
#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

#include "whence/core/random.h"
#include "whence/nn/graph/network.h"

namespace whence::models {

/// A copy of a network, each of whose weights W (convolutions as matrices, one row an output channel) is W / s, where s = u^T W v is the
/// largest singular value, by power iteration: one step of it an update, which follows weights that change slowly.
class SpectralNorm {
 public:
  /// `network` must outlive it, and keeps its weights.
  SpectralNorm(const nn::Network& network, Generator& generator);

  /// Takes over the weights that the network has now.
  void update();
  /// The copy; its parameters are leaves of its own.
  const nn::Network& network() const { return copy_; }
  /// Gradients in the copy's parameters -> gradients in the network's: (G - <G, W / s> u v^T) / s, u and v held.
  std::vector<at::Tensor> pulled_back(const std::vector<at::Tensor>& gradients) const;

  /// Its part of a checkpoint: the left singular vectors.
  nn::NamedTensors state() const;

 private:
  struct Singular {
    at::Tensor left, right, value;  ///< (rows), (columns), scalar; undefined for biases
  };

  nn::NamedTensors originals_, copies_;
  nn::Network copy_;
  std::vector<Singular> singular_;  ///< by parameter
};

}  // namespace whence::models
