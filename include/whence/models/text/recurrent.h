// Recurrent layers: GRU (Cho et al. 2014) and LSTM (Hochreiter and Schmidhuber 1997), as PyTorch has them.
#pragma once

#include <ATen/core/Generator.h>
#include <ATen/ops/linear.h>

#include <string>
#include <utility>
#include <vector>

#include "whence/nn/training/parameters.h"

namespace whence::models {

enum class Cell { gru, lstm };

/// One layer, in one direction or both. Its weights belong to the Parameters that it was made with; their names are PyTorch's behind "NAME.".
class Recurrent {
 public:
  /// Weights are uniform in +- 1 / sqrt(hidden), as PyTorch's.
  Recurrent(nn::Parameters& parameters, const std::string& name, Cell cell, std::int64_t input,
            std::int64_t hidden, bool both_directions, at::Generator& generator);

  std::int64_t hidden() const { return hidden_; }
  /// Of an output at one place.
  std::int64_t width() const { return hidden_ * (both_directions_ ? 2 : 1); }

  struct Run {
    at::Tensor outputs;  ///< (N, T, width); zero behind the end of a row
    at::Tensor last;  ///< (N, width): the state behind the last word, of the other direction behind the first
    at::Tensor last_cell;  ///< (N, width), LSTM only
  };
  /// inputs: (N, T, input). `lengths`: int64 (N), at least 1 each; undefined: all rows have T words. The other direction begins at the end of each row.
  Run run(const at::Tensor& inputs, const at::Tensor& lengths = {}) const;
  /// The same from a state (N, hidden), in one direction.
  Run run_from(const at::Tensor& inputs, const at::Tensor& hidden, const at::Tensor& cell) const;

  /// One step in one direction: the new hidden state and cell (N, hidden) from those before; `cell` is LSTM's.
  std::pair<at::Tensor, at::Tensor> step(const at::Tensor& input, const at::Tensor& hidden,
                                         const at::Tensor& cell) const;

 private:
  Run run_packed(const at::Tensor& inputs, const at::Tensor& lengths) const;
  std::vector<at::Tensor> zero_states(const at::Tensor& inputs) const;
  /// (directions, N, hidden) -> (N, width)
  at::Tensor joined(const at::Tensor& states) const;

  Cell cell_;
  std::int64_t hidden_;
  bool both_directions_;
  std::vector<at::Tensor> weights_;  ///< of each direction: input, hidden, and their biases
};

/// Weight and bias of a linear layer, uniform in +- 1 / sqrt(inputs).
struct Linear {
  Linear(nn::Parameters& parameters, const std::string& name, std::int64_t inputs, std::int64_t outputs,
         at::Generator& generator);
  at::Tensor operator()(const at::Tensor& x) const { return at::linear(x, weight, bias); }

  at::Tensor weight, bias;
};

}  // namespace whence::models
