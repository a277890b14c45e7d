// The two optimizers of the texts, over all parameters of some networks at once.
#pragma once

#include <ATen/core/Tensor.h>

#include <variant>
#include <vector>

#include "whence/nn/network.h"

namespace whence::nn {

/// buffer = momentum * buffer + gradient; parameter -= rate * buffer (PyTorch's form).
struct Sgd {
  double momentum = 0;
};
/// Kingma & Ba 2015, with bias correction.
struct Adam {
  double beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8;
};

/// Moves the networks' float32 parameters into one contiguous block, and their gradients and its own moments
/// beside it, so that a step is a single pass over memory.
class Optimizer {
 public:
  Optimizer(const std::vector<Network*>& networks, std::variant<Sgd, Adam> rule);

  /// Of all networks, in the order of their layers.
  const std::vector<at::Tensor>& parameters() const { return parameters_; }
  /// Sets each parameter's gradient to the sum over parts of parts[i][j], for parameter j; an undefined one counts as
  /// zero.
  void set_gradients(const std::vector<std::vector<at::Tensor>>& parts);
  void step(double learning_rate);

  /// Moments and the number of steps done, to be stored in a checkpoint.
  NamedTensors state() const;
  /// Error: names or shapes that do not fit.
  void load_state(const NamedTensors& state);

 private:
  std::variant<Sgd, Adam> rule_;
  std::vector<at::Tensor> parameters_;
  at::Tensor values_, gradients_, first_, second_;
  std::int64_t steps_ = 0;
};

}  // namespace whence::nn
