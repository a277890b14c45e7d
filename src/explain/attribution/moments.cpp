#include "explain/attribution/moments.h"

namespace whence::attribution {

void Moments::add(const at::Tensor& draws) {
  const at::Tensor exact = draws.to(at::kDouble);
  at::Tensor power = exact;
  for (int i = 0; i < powers_; ++i) {
    const at::Tensor sum = power.sum(0);
    sums_[i] = count_ == 0 ? sum : sums_[i] + sum;
    if (i + 1 < powers_) power = power * exact;
  }
  count_ += draws.size(0);
}

at::Tensor Moments::mean() const { return sums_[0] / static_cast<double>(count_); }

at::Tensor Moments::variance() const {
  const auto n = static_cast<double>(count_);
  return ((sums_[1] - sums_[0].square() / n) / (n - 1)).clamp_min(0);
}

at::Tensor Moments::standard_error() const { return (variance() / static_cast<double>(count_)).sqrt(); }

at::Tensor Moments::standard_error_of_variance() const {
  const auto n = static_cast<double>(count_);
  const at::Tensor m = mean(), square = m.square();
  const at::Tensor fourth = (sums_[3] - 4 * m * sums_[2] + 6 * square * sums_[1]) / n - 3 * square.square();
  return ((fourth - (n - 3) / (n - 1) * variance().square()).clamp_min(0) / n).sqrt();
}

}  // namespace whence::attribution
