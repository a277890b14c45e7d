#include "explain/attribution/quadrature.h"

#include <cmath>
#include <numbers>

namespace whence::attribution {

/// A root of the Legendre polynomial, by Newton's method from Tricomi's estimate.
Point legendre_point(std::int64_t i, std::int64_t n) {
  const auto degree = static_cast<double>(n);
  double root = std::cos(std::numbers::pi * (static_cast<double>(i) + 0.75) / (degree + 0.5)), slope = 0;
  for (int round = 0; round < 20; ++round) {
    double before = 0, value = 1;  // P(k - 1) and P(k), by Bonnet's recursion
    for (std::int64_t k = 0; k < n; ++k) {
      const auto order = static_cast<double>(k);
      const double next = ((2 * order + 1) * root * value - order * before) / (order + 1);
      before = value;
      value = next;
    }
    slope = degree * (root * value - before) / (root * root - 1);
    const double change = value / slope;
    root -= change;
    if (std::abs(change) < 1e-15) break;
  }
  return {0.5 * (1 + root), 1 / ((1 - root * root) * slope * slope)};
}

}  // namespace whence::attribution
