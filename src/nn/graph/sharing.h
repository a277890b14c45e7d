// What rules are made of: sums of chosen terms, and how a sum shares relevance out.
#pragma once

#include <functional>
#include <string_view>
#include <vector>

#include "nn/ops/operation.h"
#include "whence/nn/graph/walk_back.h"

namespace whence::nn::sharing {

using at::Tensor;
using Tensors = std::vector<Tensor>;

[[noreturn]] void refuse(const RuleCall& call, std::string_view reason);

/// What the chain rule gives to the inputs.
Tensors follow_gradient(const RuleCall& call);
/// The relevance as it is. Error: another number of values.
Tensors pass(const RuleCall& call);
/// The relevance as it is to the first input, and none to the others.
Tensors to_signal(const RuleCall& call);

/// A layer's sums z_j = sum_i a_i w_ij + b_j for some a, w and b.
class Sum {
 public:
  Sum(const RuleCall& call, const Tensors& inputs, const LinearTensors& tensors);
  Tensor value() const { return output_.detach(); }
  /// a_i sum_j w_ij s_j for each input; to be asked once.
  Tensors shares(const Tensor& s) const;

 private:
  Tensors inputs_;
  Tensor output_;
};

/// relevance / sum; 0 where nothing is summed.
Tensor divided(const Tensor& relevance, const Tensor& sum);
/// R_i = sum_j (the i-th terms of all sums / all their terms) R_j
Tensors share_out(const RuleCall& call, const std::vector<Sum>& sums);
/// a + factor * b
Tensors plus(const Tensors& a, const Tensors& b, double factor = 1);

/// The positive or negative part; undefined stays undefined.
Tensor only_positive(const Tensor& x);
Tensor only_negative(const Tensor& x);
Tensors only_positive(const Tensors& inputs);
Tensors filled_like(const Tensors& inputs, double value);

/// The layer's own weight and bias.
LinearTensors tensors_of(const RuleCall& call);
/// The terms a_i w_ij > 0, with the positive bias or without. A weight that is not defined is positive.
std::vector<Sum> positive_terms(const RuleCall& call, bool bias);
/// The terms a_i w_ij < 0 with the negative bias.
std::vector<Sum> negative_terms(const RuleCall& call);
enum class Sign { positive, negative };
/// All terms and the bias, of which those of one sign count 1 + factor times. A weight that is not defined is 1.
std::vector<Sum> raised_terms(const RuleCall& call, double factor, Sign sign);

}  // namespace whence::nn::sharing
