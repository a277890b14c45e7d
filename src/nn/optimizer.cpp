#include "whence/nn/optimizer.h"

#include <ATen/Parallel.h>

#include "whence/core/error.h"

namespace whence::nn {
namespace {

constexpr std::int64_t kGrain = 1 << 15;

// Loops over all parameters, compiled for several widths of vectors; the loader takes the widest that the processor has.
#if defined(__x86_64__) && defined(__GNUC__)
#define WHENCE_WIDE __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define WHENCE_WIDE
#endif

struct SgdFactors {
  float momentum, rate;
};

WHENCE_WIDE void sgd_piece(float* value, const float* gradient, float* moment, std::int64_t begin,
                           std::int64_t end, const SgdFactors& by) {
  const auto [momentum, rate] = by;
  for (std::int64_t i = begin; i < end; ++i) {
    moment[i] = momentum * moment[i] + gradient[i];
    value[i] -= rate * moment[i];
  }
}

struct AdamFactors {
  float beta1, beta2, rest1, rest2, rate, scale, epsilon;
};

WHENCE_WIDE void adam_piece(float* value, const float* gradient, float* first, float* second,
                            std::int64_t begin, std::int64_t end, const AdamFactors& by) {
  const auto [beta1, beta2, rest1, rest2, rate, scale, epsilon] = by;
  for (std::int64_t i = begin; i < end; ++i) {
    first[i] = beta1 * first[i] + rest1 * gradient[i];
    second[i] = beta2 * second[i] + rest2 * gradient[i] * gradient[i];
    value[i] -= rate * first[i] / (std::sqrt(second[i]) * scale + epsilon);
  }
}

WHENCE_WIDE void add_piece(float* to, const float* from, std::int64_t begin, std::int64_t end) {
  for (std::int64_t i = begin; i < end; ++i) to[i] += from[i];
}

void sgd_step(float* value, const float* gradient, float* moment, std::int64_t count, const Sgd& rule,
              double rate) {
  const SgdFactors factors{static_cast<float>(rule.momentum), static_cast<float>(rate)};
  at::parallel_for(0, count, kGrain, [&](std::int64_t begin, std::int64_t end) {
    sgd_piece(value, gradient, moment, begin, end, factors);
  });
}

void adam_step(float* value, const float* gradient, float* first, float* second, std::int64_t count,
               const Adam& rule, double rate, std::int64_t steps) {
  const double correction1 = 1 - std::pow(rule.beta1, static_cast<double>(steps));
  const double correction2 = 1 - std::pow(rule.beta2, static_cast<double>(steps));
  const AdamFactors factors{
      static_cast<float>(rule.beta1),         static_cast<float>(rule.beta2),
      static_cast<float>(1 - rule.beta1),     static_cast<float>(1 - rule.beta2),
      static_cast<float>(rate / correction1), static_cast<float>(1 / std::sqrt(correction2)),
      static_cast<float>(rule.epsilon)};
  at::parallel_for(0, count, kGrain, [&](std::int64_t begin, std::int64_t end) {
    adam_piece(value, gradient, first, second, begin, end, factors);
  });
}

/// sum = the sum of `addends`, in one pass over it.
void add_up(const std::vector<at::Tensor>& addends, const at::Tensor& sum) {
  std::vector<const float*> from;
  for (const at::Tensor& addend : addends) from.push_back(addend.data_ptr<float>());
  auto* to = sum.data_ptr<float>();
  constexpr std::int64_t kPiece = 1 << 10;  // stays in the nearest cache
  at::parallel_for(0, sum.numel(), kGrain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t first = begin; first < end; first += kPiece) {
      const std::int64_t last = std::min(end, first + kPiece);
      std::fill(to + first, to + last, 0.0f);
      for (const float* addend : from) add_piece(to, addend, first, last);
    }
  });
}

}  // namespace

Optimizer::Optimizer(const std::vector<Network*>& networks, std::variant<Sgd, Adam> rule) : rule_(rule) {
  NamedTensors parameters;
  for (Network* network : networks) {
    for (const NamedTensor& parameter : network->parameters()) parameters.push_back(parameter);
  }
  std::vector<at::Tensor> pieces;
  for (const auto& [name, parameter] : parameters) {
    TORCH_CHECK(parameter.scalar_type() == at::kFloat, "optimizer: parameter ", name, " is not float32");
    pieces.push_back(parameter.detach().reshape({-1}));
  }
  values_ = at::cat(pieces);
  gradients_ = at::zeros_like(values_);
  first_ = at::zeros_like(values_);
  if (std::holds_alternative<Adam>(rule_)) second_ = at::zeros_like(values_);

  std::int64_t offset = 0;
  for (auto& [name, parameter] : parameters) {
    const std::int64_t count = parameter.numel();
    parameter.set_data(values_.narrow(0, offset, count).view(parameter.sizes()));
    parameter.set_requires_grad(true);
    parameter.mutable_grad() = gradients_.narrow(0, offset, count).view(parameter.sizes());
    offset += count;
    parameters_.push_back(parameter);
  }
}

void Optimizer::set_gradients(const std::vector<std::vector<at::Tensor>>& parts) {
  for (const std::vector<at::Tensor>& part : parts)
    TORCH_CHECK(part.size() == parameters_.size(), "optimizer: a gradient for each of ", parameters_.size(),
                " parameters, got ", part.size());
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    std::vector<at::Tensor> addends;
    for (const std::vector<at::Tensor>& part : parts)
      if (part[i].defined()) addends.push_back(part[i].contiguous());
    add_up(addends, parameters_[i].grad());
  }
}

void Optimizer::step(double learning_rate) {
  ++steps_;
  auto* value = values_.data_ptr<float>();
  const auto* gradient = gradients_.data_ptr<float>();
  auto* first = first_.data_ptr<float>();
  if (const auto* sgd = std::get_if<Sgd>(&rule_)) {
    sgd_step(value, gradient, first, values_.numel(), *sgd, learning_rate);
  } else {
    adam_step(value, gradient, first, second_.data_ptr<float>(), values_.numel(), std::get<Adam>(rule_),
              learning_rate, steps_);
  }
}

NamedTensors Optimizer::state() const {
  NamedTensors state{{"optimizer.steps", at::scalar_tensor(steps_, at::kLong)}, {"optimizer.first", first_}};
  if (second_.defined()) state.push_back({"optimizer.second", second_});
  return state;
}

void Optimizer::load_state(const NamedTensors& state) {
  const NamedTensors own = this->state();
  const auto fits = [](const NamedTensor& a, const NamedTensor& b) {
    return a.name == b.name && a.tensor.sizes() == b.tensor.sizes() &&
           a.tensor.scalar_type() == b.tensor.scalar_type();
  };
  if (!std::equal(own.begin(), own.end(), state.begin(), state.end(), fits)) {
    fail("the optimizer's state is of another training; delete the checkpoint to start anew");
  }
  steps_ = state[0].tensor.item<std::int64_t>();
  first_.copy_(state[1].tensor);
  if (second_.defined()) second_.copy_(state[2].tensor);
}

}  // namespace whence::nn
