// The walk back through a network: how a relevance at one layer is shared out among the layers before it, down to the
// input. A rule says how one layer shares; rules are values, and a table lists them.
//
// Notation: layer j gets inputs a_i and puts out z_j = sum_i a_i w_ij + b_j; R_j is its relevance, R_i what its input i
// gets. Where several layers read one output, its relevance is the sum of what they give it.
#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "whence/nn/graph/network.h"

namespace whence::nn {

/// What a rule sees: one layer, its inputs (N, shape of each) and the relevance of its output (N, layer.shape).
struct RuleCall {
  const Network& network;
  const Layer& layer;
  std::vector<at::Tensor> inputs;
  at::Tensor relevance;
};

/// How a layer shares the relevance of its output out among its inputs.
struct Rule {
  std::string_view name;
  /// One tensor for each input, of its shape. Error: an operation that the rule cannot pass.
  std::function<std::vector<at::Tensor>(const RuleCall&)> function;
};

struct RuleParameter {
  std::string_view name, meaning;
  double initial;
};

/// A row of the table of rules.
struct RuleRow {
  std::string_view name, meaning;
  std::string_view formula,
      source;  ///< the formula of layers that add up (Linear, convolutions, average pools, Add)
  std::vector<RuleParameter> parameters;
  /// Values in the order of `parameters`. Error: a value out of range (usage).
  Rule (*make)(const std::vector<double>& values);
};

/// All rules. What they have in common: an activation function (Relu, LeakyRelu, Sigmoid, Tanh) passes its relevance on
/// as it is; layers that copy (Flatten, Concat, MaxPool2d, Upsample, ...) pass it to what they copied; batch
/// normalisation and ScaleShift, with one input for each output, share nothing and pass it on, too, except under
/// `epsilon`, in which the shift takes part. Softmax and LogSoftmax are refused: start at the logits. The rules that
/// follow the gradient (`gradient`, `guided`, `deconvnet`) know no such exceptions.
std::span<const RuleRow> rule_table();

/// The rule of that name; parameters that are not given have the table's values. Error: unknown names (usage; they
/// suggest the nearest ones), values out of range.
Rule rule(std::string_view name, const std::map<std::string, double>& parameters = {});

/// The rescale rule of DeepLIFT (Shrikumar, Greenside and Kundaje 2017, section 3.5.1), which no parameters make but the outputs
/// of all layers for a baseline x', (N or 1, layer.shape). What it passes is no relevance but a multiplier m: start with the slope of
/// the score, and m times the distance from the baseline is what a value adds. By operation, with z' the baseline's output:
///   a function of each value alone   m_i = m_j (z_j - z'_j) / (a_i - a'_i); its slope where both are nearly equal
///   maximum pooling                  from z' up to the larger maximum at the place of one, down at that of the other
///   Gate, LayerNorm, Softmax         the mean of the slopes on the straight way from a' to a
///   all others, which are linear     the chain rule
/// So sum_i m_i (a_i - a'_i) = sum_j m_j (z_j - z'_j) in every layer.
Rule rescale_rule(std::vector<at::Tensor> baseline);

/// Which rule each layer gets: the layer's own, else its operation's, else the rule for all.
class Rules {
 public:
  Rules(Rule for_all) : for_all_(std::move(for_all)) {}  // NOLINT: a rule is the simplest table

  Rules& layer(std::string name, Rule own);
  /// `name`: name_of(layer.op), as "Conv2d".
  Rules& operation(std::string name, Rule own);

  const Rule& of(const Layer& layer) const;
  /// Error: a layer or an operation that `network` lacks (usage; suggests the nearest one). Layers only: a table of rules
  /// may know operations that this network does not use.
  void check(const Network& network) const;

 private:
  Rule for_all_;
  std::map<std::string, Rule, std::less<>> layers_, operations_;
};

/// Where a walk begins: relevance (N, layer.shape) of a layer's output, for instance its logits with all but one class
/// set to 0.
struct Start {
  LayerId layer;
  at::Tensor relevance;
};

struct Relevance {
  /// By LayerId, each of its layer's shape; undefined for layers that the start does not depend on.
  std::vector<at::Tensor> layers;
  /// Of the network's input.
  const at::Tensor& input() const { return layers.front(); }
};

}  // namespace whence::nn
