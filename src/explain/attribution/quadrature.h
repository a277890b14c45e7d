// Points at which a function is summed to get its integral.
#pragma once

#include <cstdint>

namespace whence::attribution {

struct Point {
  double place, weight;  ///< in 0 .. 1; the weights sum to 1
};

/// Point i of n of the Gauss-Legendre rule.
Point legendre_point(std::int64_t i, std::int64_t n);

}  // namespace whence::attribution
