// Adam on one tensor of values, each of which moves by itself.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace whence::nn {

/// Kingma & Ba 2015, with bias correction. Before, rate * weight_decay * weight is taken off each weight (Loshchilov &
/// Hutter 2019).
struct Adam {
  double beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8;
  double weight_decay = 0;  ///< of Optimizer only, which knows what is a weight
};

/// One step, in place, downwards: values -= rate * m / (sqrt(v) + epsilon), m = first / (1 - beta1^steps), v = second / (1 - beta2^steps).
/// steps: with this one, from 1 on. first, second: the running means of the gradient and of its square, shaped like the values; updated, too.
void adam_step(const Adam& rule, double rate, std::int64_t steps, const at::Tensor& values,
               const at::Tensor& gradient, const at::Tensor& first, const at::Tensor& second);

/// Adam for values that are looked for, not trained: pictures, codes, masks. A negative rate climbs.
class AdamSearch {
 public:
  /// values: any, of the shape and kind of those to come.
  explicit AdamSearch(const at::Tensor& values, const Adam& rule = {});

  /// The values after one more step; its arguments stay as they are.
  at::Tensor moved(const at::Tensor& values, const at::Tensor& gradient, double rate);
  /// From now on of these rows only: int64, of dimension 0.
  void keep(const at::Tensor& rows);

 private:
  Adam rule_;
  at::Tensor first_, second_;
  std::int64_t steps_ = 0;
};

}  // namespace whence::nn
