// Means of draws, with their standard errors.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace whence::attribution {

/// Sums of powers of draws, in float64.
class Moments {
 public:
  /// draws: (count, ...). `powers`: the highest power that is summed, 2 or 4.
  explicit Moments(int powers = 2) : powers_(powers) {}
  void add(const at::Tensor& draws);

  at::Tensor mean() const;
  /// Of the draws, by count - 1.
  at::Tensor variance() const;
  /// Of the mean: sqrt(variance / count).
  at::Tensor standard_error() const;
  /// Of the variance of n draws: sqrt((m4 - (n - 3) / (n - 1) variance^2) / n), m4 the fourth central moment (Mood, Graybill
  /// and Boes 1974, section VI.2). Needs 4 powers.
  at::Tensor standard_error_of_variance() const;

 private:
  int powers_;
  std::int64_t count_ = 0;
  at::Tensor sums_[4];
};

}  // namespace whence::attribution
