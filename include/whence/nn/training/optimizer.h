// The two optimizers of the papers, over all parameters of some networks at once.
#pragma once

#include <ATen/core/Tensor.h>

#include <variant>
#include <vector>

#include "whence/nn/graph/network.h"
#include "whence/nn/training/adam.h"
#include "whence/nn/training/parameters.h"

namespace whence::nn {

/// buffer = momentum * buffer + gradient; parameter -= rate * buffer (PyTorch's form). Before, weight_decay * weight is added
/// to the gradient of each weight: a parameter of more than one dimension, not a bias or a batch norm's.
struct Sgd {
  double momentum = 0;
  double weight_decay = 0;
};

/// Moves the networks' float32 parameters into one contiguous block, and its own moments beside it, so that
/// a step is a few operations on all of them at once.
class Optimizer {
 public:
  Optimizer(const std::vector<Network*>& networks, std::variant<Sgd, Adam> rule);
  /// Of a model that is no Network.
  Optimizer(const Parameters& model, std::variant<Sgd, Adam> rule);

  /// Of all networks, in the order of their layers.
  const std::vector<at::Tensor>& parameters() const { return parameters_; }
  /// The next step's gradient of parameter j is the sum over parts of parts[i][j]; an undefined one counts as zero. They
  /// are kept, not copied, where they lie in memory as their parameter does.
  void set_gradients(const std::vector<std::vector<at::Tensor>>& parts);
  /// Uses up the gradients.
  void step(double learning_rate);

  /// Forgets moments and steps, as if it were new.
  void restart();

  /// Moments, each in the order in which its parameter lies in memory, and the number of steps done, to be stored in a
  /// checkpoint.
  NamedTensors state() const;
  /// Error: names or shapes that do not fit.
  void load_state(const NamedTensors& state);

 private:
  /// Moves them into one block.
  void take(NamedTensors parameters);

  std::variant<Sgd, Adam> rule_;
  std::vector<at::Tensor> parameters_;
  std::vector<std::vector<at::Tensor>> gradients_;  ///< by parameter, what is to be added up
  at::Tensor values_, first_, second_;
  std::int64_t steps_ = 0;
};

}  // namespace whence::nn
