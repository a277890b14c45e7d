#include "whence/nn/training/adam.h"

#include <ATen/ATen.h>

#include <cmath>

namespace whence::nn {

void adam_step(const Adam& rule, double rate, std::int64_t steps, const at::Tensor& values,
               const at::Tensor& gradient, const at::Tensor& first, const at::Tensor& second) {
  const auto correction = [&](double beta) { return 1 - std::pow(beta, static_cast<double>(steps)); };
  first.lerp_(gradient, 1 - rule.beta1);
  second.mul_(rule.beta2).addcmul_(gradient, gradient, 1 - rule.beta2);
  const at::Tensor deviation = second.sqrt().div_(std::sqrt(correction(rule.beta2))).add_(rule.epsilon);
  values.addcdiv_(first, deviation, -rate / correction(rule.beta1));
}

AdamSearch::AdamSearch(const at::Tensor& values, const Adam& rule)
    : rule_(rule), first_(at::zeros_like(values)), second_(at::zeros_like(values)) {}

at::Tensor AdamSearch::moved(const at::Tensor& values, const at::Tensor& gradient, double rate) {
  const at::NoGradGuard no_grad;
  const at::Tensor result = values.clone();
  adam_step(rule_, rate, ++steps_, result, gradient, first_, second_);
  return result;
}

void AdamSearch::keep(const at::Tensor& rows) {
  first_ = first_.index_select(0, rows);
  second_ = second_.index_select(0, rows);
}

}  // namespace whence::nn
