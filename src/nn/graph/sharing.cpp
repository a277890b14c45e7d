#include "nn/graph/sharing.h"

#include "nn/graph/execute.h"
#include "whence/core/error.h"

namespace whence::nn::sharing {
namespace {

Tensors leaves(const Tensors& inputs) {
  Tensors own;
  for (const Tensor& input : inputs) own.push_back(input.detach().set_requires_grad(true));
  return own;
}

/// sum_j (d output_j / d input_i) s_j for each input, which are leaves.
Tensors gradients(const Tensor& output, const Tensors& inputs, const Tensor& s) {
  Tensors found = torch::autograd::grad({output}, inputs, {s}, /*retain_graph=*/false, /*create_graph=*/false,
                                        /*allow_unused=*/true);
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    if (!found[i].defined()) found[i] = at::zeros_like(inputs[i]);
  }
  return found;
}

Tensors parts(const Tensors& inputs, Tensor (*part)(const Tensor&)) {
  Tensors all;
  for (const Tensor& input : inputs) all.push_back(part(input));
  return all;
}

bool has_negative(const Tensors& inputs) {
  return std::any_of(inputs.begin(), inputs.end(),
                     [](const Tensor& input) { return input.numel() > 0 && input.min().item<double>() < 0; });
}

/// The output of a layer that adds or scales, with other tensors in place of its own.
Tensor linear_forward(const Layer& layer, const Tensors& inputs, const LinearTensors& tensors) {
  const Tensor& x = inputs.front();
  if (operation_of(layer.op).passage == Passage::scales)
    return tensors.bias.defined() ? x * tensors.weight + tensors.bias : x * tensors.weight;
  Layer other = layer;
  other.parameters.clear();
  if (tensors.weight.defined()) other.parameters.push_back({"weight", tensors.weight});
  if (tensors.bias.defined()) other.parameters.push_back({"bias", tensors.bias});
  return execute(other, inputs, {}, /*last=*/true);
}

}  // namespace

Tensors follow_gradient(const RuleCall& call) {
  const at::AutoGradMode recorded(true);
  const Tensors inputs = leaves(call.inputs);
  return gradients(execute(call.layer, inputs, {}, /*last=*/true), inputs, call.relevance);
}

void refuse(const RuleCall& call, std::string_view reason) {
  fail("network \"{}\", layer \"{}\" ({}): {}", call.network.name(), call.layer.name, name_of(call.layer.op),
       reason);
}

Tensors pass(const RuleCall& call) {
  if (call.inputs.size() != 1 || call.inputs.front().numel() != call.relevance.numel())
    refuse(call, "relevance passes unchanged only where input and output have the same number of values");
  return {call.relevance.reshape(call.inputs.front().sizes())};
}

Tensors to_signal(const RuleCall& call) {
  Tensors shares = filled_like(call.inputs, 0);
  shares.front() = call.relevance;
  return shares;
}

Sum::Sum(const RuleCall& call, const Tensors& inputs, const LinearTensors& tensors)
    : inputs_(leaves(inputs)) {
  const at::AutoGradMode recorded(true);
  output_ = linear_forward(call.layer, inputs_, tensors);
}

Tensors Sum::shares(const Tensor& s) const {
  Tensors shares = gradients(output_, inputs_, s);
  for (std::size_t i = 0; i < inputs_.size(); ++i) shares[i] = inputs_[i].detach() * shares[i];
  return shares;
}

Tensor divided(const Tensor& relevance, const Tensor& sum) {
  return at::where(sum == 0, at::zeros_like(sum), relevance / sum);
}

Tensors plus(const Tensors& a, const Tensors& b, double factor) {
  Tensors sum;
  for (std::size_t i = 0; i < a.size(); ++i) sum.push_back(a[i] + factor * b[i]);
  return sum;
}

Tensors share_out(const RuleCall& call, const std::vector<Sum>& sums) {
  Tensor all = sums.front().value();
  for (std::size_t k = 1; k < sums.size(); ++k) all = all + sums[k].value();
  const Tensor s = divided(call.relevance, all);
  Tensors shares = sums.front().shares(s);
  for (std::size_t k = 1; k < sums.size(); ++k) shares = plus(shares, sums[k].shares(s));
  return shares;
}

Tensor only_positive(const Tensor& x) { return x.defined() ? x.clamp_min(0) : x; }

Tensor only_negative(const Tensor& x) { return x.defined() ? x.clamp_max(0) : x; }

Tensors only_positive(const Tensors& inputs) { return parts(inputs, only_positive); }

Tensors filled_like(const Tensors& inputs, double value) {
  Tensors filled;
  for (const Tensor& input : inputs) filled.push_back(at::full_like(input, value));
  return filled;
}

LinearTensors tensors_of(const RuleCall& call) {
  return operation_of(call.layer.op).linear_tensors(call.layer.op, call.layer, call.inputs.front());
}

std::vector<Sum> positive_terms(const RuleCall& call, bool bias) {
  const LinearTensors own = tensors_of(call);
  std::vector<Sum> sums = {Sum(call, only_positive(call.inputs),
                               {only_positive(own.weight), bias ? only_positive(own.bias) : Tensor()})};
  if (own.weight.defined() && has_negative(call.inputs))
    sums.emplace_back(call, parts(call.inputs, only_negative), LinearTensors{only_negative(own.weight), {}});
  return sums;
}

std::vector<Sum> negative_terms(const RuleCall& call) {
  const LinearTensors own = tensors_of(call);
  std::vector<Sum> sums;
  if (own.weight.defined())
    sums.emplace_back(call, only_positive(call.inputs),
                      LinearTensors{only_negative(own.weight), only_negative(own.bias)});
  if (has_negative(call.inputs) || sums.empty())
    sums.emplace_back(call, parts(call.inputs, only_negative), LinearTensors{only_positive(own.weight), {}});
  return sums;
}

std::vector<Sum> raised_terms(const RuleCall& call, double factor, Sign sign) {
  const auto raised = [&](const Tensor& x, Sign part) {
    if (!x.defined()) return x;
    return x + factor * (part == Sign::positive ? only_positive(x) : only_negative(x));
  };
  const LinearTensors own = tensors_of(call);
  if (!own.weight.defined()) {
    Tensors inputs;
    for (const Tensor& input : call.inputs) inputs.push_back(raised(input, sign));
    return {Sum(call, inputs, {})};
  }
  std::vector<Sum> sums = {
      Sum(call, only_positive(call.inputs), {raised(own.weight, sign), raised(own.bias, sign)})};
  const Sign other = sign == Sign::positive ? Sign::negative : Sign::positive;
  if (has_negative(call.inputs))
    sums.emplace_back(call, parts(call.inputs, only_negative), LinearTensors{raised(own.weight, other), {}});
  return sums;
}

}  // namespace whence::nn::sharing
