// The table of rules. To add a rule: its function, and a row at the end of this file.
#include "nn/graph/sharing.h"
#include "whence/core/error.h"
#include "whence/core/names.h"
#include "whence/nn/graph/walk_back.h"

namespace whence::nn {
namespace {

using namespace sharing;
using Sharing = std::function<Tensors(const RuleCall&)>;

/// A rule that shares relevance out: `adds` says how, where layers add up.
Rule sharing_rule(std::string_view name, Sharing adds, Sharing scales = pass) {
  return {name, [adds = std::move(adds), scales = std::move(scales)](const RuleCall& call) {
            const Passage passage = operation_of(call.layer.op).passage;
            if (passage == Passage::adds) return adds(call);
            if (passage == Passage::scales) return scales(call);
            if (passage == Passage::copies) return follow_gradient(call);
            if (passage == Passage::activates) return pass(call);
            if (passage == Passage::gates) return to_signal(call);
            refuse(call, "no rule shares relevance out here; start at the logits, the layer before it");
          }};
}

void check_value(bool holds, std::string_view rule, std::string_view condition) {
  if (!holds) fail_usage("rule '{}': {}", rule, condition);
}

Rule gradient_rule(const std::vector<double>&) { return {"gradient", follow_gradient}; }

Rule epsilon_rule(const std::vector<double>& values) {
  const double epsilon = values[0];
  check_value(epsilon >= 0, "epsilon", "epsilon must be 0 or more");
  const Sharing share = [epsilon](const RuleCall& call) {
    const Sum sum(call, call.inputs, tensors_of(call));
    const Tensor z = sum.value();
    return sum.shares(divided(call.relevance, at::where(z >= 0, z + epsilon, z - epsilon)));
  };
  return sharing_rule("epsilon", share, share);
}

Rule z_plus_rule(const std::vector<double>&) {
  return sharing_rule(
      "z_plus", [](const RuleCall& call) { return share_out(call, positive_terms(call, /*bias=*/false)); });
}

Rule gamma_rule(const std::vector<double>& values) {
  const double gamma = values[0];
  check_value(gamma >= 0, "gamma", "gamma must be 0 or more");
  return sharing_rule("gamma", [gamma](const RuleCall& call) {
    const Tensor z = Sum(call, call.inputs, tensors_of(call)).value();
    const auto shared = [&](const Tensor& relevance, Sign sign) {
      return share_out({call.network, call.layer, call.inputs, relevance}, raised_terms(call, gamma, sign));
    };
    const Tensor negative = call.relevance * (z < 0);
    const Tensors shares = shared(call.relevance * (z > 0), Sign::positive);
    return negative.any().item<bool>() ? plus(shares, shared(negative, Sign::negative)) : shares;
  });
}

Rule alpha_beta_rule(const std::vector<double>& values) {
  const double alpha = values[0], beta = values[1];
  check_value(beta >= 0 && std::abs(alpha - beta - 1) < 1e-9, "alpha_beta",
              "beta must be 0 or more and alpha = 1 + beta, so that relevance is kept");
  return sharing_rule("alpha_beta", [alpha, beta](const RuleCall& call) {
    const Tensors raised = share_out(call, positive_terms(call, /*bias=*/true));
    const Tensors result = plus(filled_like(call.inputs, 0), raised, alpha);
    return beta == 0 ? result : plus(result, share_out(call, negative_terms(call)), -beta);
  });
}

Rule w_square_rule(const std::vector<double>&) {
  return sharing_rule("w_square", [](const RuleCall& call) {
    const Tensor weight = tensors_of(call).weight;
    return share_out(
        call, {Sum(call, filled_like(call.inputs, 1), {weight.defined() ? weight.square() : weight, {}})});
  });
}

Rule flat_rule(const std::vector<double>&) {
  return sharing_rule("flat", [](const RuleCall& call) {
    const Tensor weight = tensors_of(call).weight;
    return share_out(call, {Sum(call, filled_like(call.inputs, 1),
                                {weight.defined() ? at::ones_like(weight) : weight, {}})});
  });
}

Rule z_box_rule(const std::vector<double>& values) {
  const double low = values[0], high = values[1];
  check_value(low <= 0 && high >= 0 && low < high, "z_box", "low must be 0 or less and high 0 or more");
  return sharing_rule("z_box", [low, high](const RuleCall& call) {
    const Tensor weight = tensors_of(call).weight;
    std::vector<Sum> sums = {Sum(call, call.inputs, {weight, {}}),
                             Sum(call, filled_like(call.inputs, -low), {only_positive(weight), {}})};
    if (weight.defined())
      sums.emplace_back(call, filled_like(call.inputs, -high), LinearTensors{only_negative(weight), {}});
    return share_out(call, sums);
  });
}

/// Of the weights or of their negatives.
Rule excitation_of(std::string_view name, double sign) {
  return sharing_rule(name, [sign](const RuleCall& call) {
    const Tensor weight = tensors_of(call).weight;
    if (!weight.defined() && sign < 0) refuse(call, "the rule 'inhibition' needs a layer with weights");
    return share_out(call, {Sum(call, only_positive(call.inputs),
                                {weight.defined() ? only_positive(sign * weight) : weight, {}})});
  });
}
Rule excitation_rule(const std::vector<double>&) { return excitation_of("excitation", 1); }
Rule inhibition_rule(const std::vector<double>&) { return excitation_of("inhibition", -1); }

Rule guided_rule(const std::vector<double>&) {
  return {"guided", [](const RuleCall& call) {
            if (!std::holds_alternative<Relu>(call.layer.op)) return follow_gradient(call);
            return Tensors{only_positive(call.relevance) * (call.inputs.front() > 0)};
          }};
}

Rule deconvnet_rule(const std::vector<double>&) {
  return {"deconvnet", [](const RuleCall& call) {
            if (!std::holds_alternative<Relu>(call.layer.op)) return follow_gradient(call);
            return Tensors{only_positive(call.relevance)};
          }};
}

Rule pass_rule(const std::vector<double>&) { return {"pass", pass}; }

// Sources of more than one rule.
constexpr std::string_view bach =
    "Bach et al. 2015, On pixel-wise explanations by layer-wise relevance propagation";
constexpr std::string_view montavon =
    "Montavon et al. 2017, Explaining nonlinear classification with deep Taylor decomposition";
constexpr std::string_view andeol =
    "Montavon et al. 2019, Layer-wise relevance propagation: an overview; negative inputs and outputs: "
    "Andeol et al. 2021";
constexpr std::string_view zhang = "Zhang et al. 2016, Top-down neural attention by excitation backprop";

}  // namespace

std::span<const RuleRow> rule_table() {
  static const std::vector<RuleRow> table = {
      {"gradient", "The chain rule.", "R_i = sum_j (dz_j / da_i) R_j", "the chain rule", {}, gradient_rule},
      {"epsilon",
       "Each input gets what it adds to the output; epsilon takes up relevance of small outputs.",
       "R_i = sum_j a_i w_ij / (z_j + epsilon sign(z_j)) R_j; the bias in z_j keeps its share",
       bach,
       {{"epsilon", "added to the size of each output", 1e-6}},
       epsilon_rule},
      {"z_plus",
       "Each input gets its share of the positive terms.",
       "R_i = sum_j (a_i w_ij)+ / sum_i (a_i w_ij)+ R_j",
       montavon,
       {},
       z_plus_rule},
      {"gamma",
       "Terms of the output's sign count more.",
       "R_i = sum_j (a_i w_ij + gamma (a_i w_ij)+) / (sum_i (a_i w_ij + gamma (a_i w_ij)+) + b_j + gamma "
       "b_j+) R_j where z_j > 0; with "
       "the negative parts where z_j < 0",
       andeol,
       {{"gamma", "the weight that these terms gain", 0.25}},
       gamma_rule},
      {"alpha_beta",
       "Positive and negative terms share relevance apart.",
       "R_i = sum_j (alpha (a_i w_ij)+ / (sum_i (a_i w_ij)+ + b_j+) - beta (a_i w_ij)- / (sum_i (a_i w_ij)- "
       "+ b_j-)) R_j",
       bach,
       {{"alpha", "factor of the positive terms; 1 + beta", 2}, {"beta", "factor of the negative terms", 1}},
       alpha_beta_rule},
      {"w_square",
       "Weights count, inputs do not: for inputs that may be of any value.",
       "R_i = sum_j w_ij^2 / sum_i w_ij^2 R_j",
       montavon,
       {},
       w_square_rule},
      {"flat",
       "All inputs of an output get the same share.",
       "R_i = sum_j 1 / (number of inputs of j) R_j",
       "Lapuschkin et al. 2019, Unmasking Clever Hans predictors",
       {},
       flat_rule},
      {"z_box",
       "For the first layer: inputs between two bounds.",
       "R_i = sum_j (a_i w_ij - low w_ij+ - high w_ij-) / sum_i (a_i w_ij - low w_ij+ - high w_ij-) R_j",
       montavon,
       {{"low", "the least value of an input", 0}, {"high", "the greatest value of an input", 1}},
       z_box_rule},
      {"excitation",
       "The chance that a random walk from output to input, along positive weights, comes by.",
       "R_i = sum_j a_i+ w_ij+ / sum_i a_i+ w_ij+ R_j",
       zhang,
       {},
       excitation_rule},
      {"inhibition",
       "`excitation` with the weights' signs turned: the first layer of its contrastive form.",
       "R_i = sum_j a_i+ (-w_ij)+ / sum_i a_i+ (-w_ij)+ R_j",
       zhang,
       {},
       inhibition_rule},
      {"guided",
       "The chain rule, but a ReLU passes only positive relevance, and only where its input is positive.",
       "at a Relu: R_i = R_j+ where a_i > 0, else 0",
       "Springenberg et al. 2015, Striving for simplicity: the all convolutional net",
       {},
       guided_rule},
      {"deconvnet",
       "The chain rule, but a ReLU passes positive relevance only, whatever its input.",
       "at a Relu: R_i = R_j+",
       "Zeiler & Fergus 2014, Visualizing and understanding convolutional networks",
       {},
       deconvnet_rule},
      {"pass", "Relevance passes unchanged.", "R_i = R_i", "the identity", {}, pass_rule},
  };
  return table;
}

Rule rule(std::string_view name, const std::map<std::string, double>& parameters) {
  std::vector<std::string_view> names;
  for (const RuleRow& row : rule_table()) {
    names.push_back(row.name);
    if (row.name != name) continue;
    std::vector<double> values;
    std::vector<std::string_view> known;
    for (const RuleParameter& parameter : row.parameters) {
      const auto given = parameters.find(std::string(parameter.name));
      values.push_back(given == parameters.end() ? parameter.initial : given->second);
      known.push_back(parameter.name);
    }
    for (const auto& [key, value] : parameters) {
      if (std::find(known.begin(), known.end(), key) == known.end())
        fail_usage("rule '{}' has no parameter '{}'{}", name, key, did_you_mean(key, known));
      check_value(std::isfinite(value), name, "its parameters must be finite numbers");
    }
    return row.make(values);
  }
  fail_usage("there is no rule '{}'{}; the rules are {}", name, did_you_mean(name, names),
             fmt::join(names, ", "));
}

}  // namespace whence::nn
