// The values of a TorchScript graph that are known before it runs.
#pragma once

#include <torch/csrc/jit/ir/ir.h>

#include <stdexcept>
#include <string>
#include <variant>
#include <vector>

#include "whence/nn/graph/network.h"

namespace whence::nn {

/// The number of samples in a batch: the one size that a Network does not know.
struct BatchSize {};

/// A layer's output, a constant, the batch size, or a list or tuple of these.
struct Symbol {
  std::variant<c10::IValue, LayerId, BatchSize, std::vector<Symbol>> value;
};

/// The reason why a graph cannot be a Network.
class Obstacle : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// "aten::conv2d at model.py:12 (x = self.conv(x))"
std::string place_of(const torch::jit::Node& node);

}  // namespace whence::nn
