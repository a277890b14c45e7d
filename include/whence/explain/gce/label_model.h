// q(y | alpha) of the variational bound: a small network that learns, beside the generator, which labels a draw of the
// causal factors brings (Barber and Agakov 2003). It serves training only: a measurement averages over draws.
#pragma once

#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>

#include <cstdint>

#include "whence/nn/graph/network.h"
#include "whence/nn/training/optimizer.h"

namespace whence::gce {

struct LabelModel {
  /// K -> 32 -> 32 -> M with ReLU, initialised from `generator`, and an Adam (0.9, 0.999) of its own.
  LabelModel(std::int64_t causal, std::int64_t classes, at::Generator& generator,
             at::Device device = at::kCPU);

  /// log q(y | alpha): (N, K) -> (N, M); what the network's forward pass gives. Differentiable in the parameters, not in
  /// alpha.
  at::Tensor log_probabilities(const at::Tensor& alpha) const;

  static constexpr double learning_rate = 3e-3;
  nn::Network network;
  nn::Optimizer optimizer;
};

}  // namespace whence::gce
