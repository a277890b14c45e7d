#include "whence/nn/training/optimizer.h"

#include "whence/core/error.h"

namespace whence::nn {
namespace {

/// All elements, in the order of their memory.
at::Tensor flat(const at::Tensor& tensor) { return tensor.as_strided({tensor.numel()}, {1}); }

/// The parts of all parameters' gradients added up, in the order of the parameters' memory.
at::Tensor joined_gradients(const std::vector<at::Tensor>& parameters,
                            const std::vector<std::vector<at::Tensor>>& parts) {
  std::vector<at::Tensor> all;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (parts[i].empty()) {
      all.push_back(parameters[i].new_zeros({parameters[i].numel()}));
      continue;
    }
    at::Tensor sum = flat(parts[i].front());
    for (std::size_t j = 1; j < parts[i].size(); ++j) sum = sum + flat(parts[i][j]);
    all.push_back(sum);
  }
  return at::cat(all);
}

void advance(const Sgd& rule, double rate, const at::Tensor& values, const at::Tensor& gradient,
             const at::Tensor& moment) {
  moment.mul_(rule.momentum).add_(gradient);
  values.add_(moment, -rate);
}

at::Tensor laid_out_like(const at::Tensor& parameter, const at::Tensor& gradient) {
  if (gradient.strides() == parameter.strides()) return gradient;
  return at::empty_strided(parameter.sizes(), parameter.strides(), gradient.options()).copy_(gradient);
}

NamedTensors parameters_of(const std::vector<Network*>& networks) {
  NamedTensors parameters;
  for (const Network* network : networks)
    for (const NamedTensor& parameter : network->parameters()) parameters.push_back(parameter);
  return parameters;
}

}  // namespace

Optimizer::Optimizer(const std::vector<Network*>& networks, std::variant<Sgd, Adam> rule) : rule_(rule) {
  take(parameters_of(networks));
}

Optimizer::Optimizer(const Parameters& model, std::variant<Sgd, Adam> rule) : rule_(rule) {
  take(model.state());
}

void Optimizer::take(NamedTensors parameters) {
  const at::TensorOptions options = parameters.empty() ? at::TensorOptions(at::kCPU).dtype(at::kFloat)
                                                       : parameters.front().tensor.options();
  std::int64_t count = 0;
  for (const auto& [name, parameter] : parameters) {
    TORCH_CHECK(parameter.device() == options.device(), "optimizer: parameter ", name, " lies on ",
                parameter.device(), " and others on ", options.device());
    TORCH_CHECK(parameter.scalar_type() == at::kFloat, "optimizer: parameter ", name, " is not float32");
    TORCH_CHECK(parameter.is_non_overlapping_and_dense(), "optimizer: parameter ", name, " has gaps");
    count += parameter.numel();
  }
  values_ = at::empty({count}, options);
  first_ = at::zeros_like(values_);
  if (std::holds_alternative<Adam>(rule_)) second_ = at::zeros_like(values_);

  std::int64_t offset = 0;
  for (auto& [name, parameter] : parameters) {
    const at::Tensor place = values_.narrow(0, offset, parameter.numel());
    const at::Tensor own = place.as_strided(parameter.sizes(), parameter.strides());
    own.copy_(parameter.detach());
    parameter.set_data(own);
    parameter.set_requires_grad(true);
    offset += parameter.numel();
    parameters_.push_back(parameter);
  }
}

void Optimizer::set_gradients(const std::vector<std::vector<at::Tensor>>& parts) {
  gradients_.assign(parameters_.size(), {});
  for (const std::vector<at::Tensor>& part : parts) {
    TORCH_CHECK(part.size() == parameters_.size(), "optimizer: a gradient for each of ", parameters_.size(),
                " parameters, got ", part.size());
    for (std::size_t i = 0; i < part.size(); ++i)
      if (part[i].defined()) gradients_[i].push_back(laid_out_like(parameters_[i], part[i]));
  }
}

void Optimizer::step(double learning_rate) {
  TORCH_CHECK(gradients_.size() == parameters_.size(), "optimizer: a step needs gradients of its own");
  ++steps_;
  const at::NoGradGuard no_gradients;
  const at::Tensor gradient = joined_gradients(parameters_, gradients_);
  std::int64_t offset = 0;
  for (const at::Tensor& parameter : parameters_) {
    const at::Tensor value = values_.narrow(0, offset, parameter.numel());
    const at::Tensor own = gradient.narrow(0, offset, parameter.numel());
    offset += parameter.numel();
    if (parameter.dim() < 2) continue;
    if (const auto* sgd = std::get_if<Sgd>(&rule_)) {
      if (sgd->weight_decay != 0) own.add_(value, sgd->weight_decay);
    } else if (const double decay = std::get<Adam>(rule_).weight_decay; decay != 0) {
      value.mul_(1 - learning_rate * decay);
    }
  }
  if (const auto* sgd = std::get_if<Sgd>(&rule_)) {
    advance(*sgd, learning_rate, values_, gradient, first_);
  } else {
    adam_step(std::get<Adam>(rule_), learning_rate, steps_, values_, gradient, first_, second_);
  }
  gradients_.clear();
}

void Optimizer::restart() {
  first_.zero_();
  if (second_.defined()) second_.zero_();
  steps_ = 0;
}

NamedTensors Optimizer::state() const {
  NamedTensors state{
      {"optimizer.steps", at::scalar_tensor(steps_, at::TensorOptions(at::kCPU).dtype(at::kLong))},
      {"optimizer.first_moments", first_}};
  if (second_.defined()) state.push_back({"optimizer.second_moments", second_});
  return state;
}

void Optimizer::load_state(const NamedTensors& state) {
  const NamedTensors own = this->state();
  const auto fits = [](const NamedTensor& a, const NamedTensor& b) {
    return a.name == b.name && a.tensor.sizes() == b.tensor.sizes() &&
           a.tensor.scalar_type() == b.tensor.scalar_type();
  };
  if (!std::equal(own.begin(), own.end(), state.begin(), state.end(), fits)) {
    fail("the optimizer's state belongs to another training; delete the checkpoint to restart");
  }
  steps_ = state[0].tensor.item<std::int64_t>();
  first_.copy_(state[1].tensor);
  if (second_.defined()) second_.copy_(state[2].tensor);
}

}  // namespace whence::nn
