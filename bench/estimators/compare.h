// Bias and spread of the estimators' values and gradients on one problem.
#pragma once

#include <string>
#include <vector>

#include "problem.h"

namespace whence::bench {

/// A way to spend passes through decoder and classifier.
struct Candidate {
  std::string name;
  gce::Estimator estimator;
  std::int64_t inner = 4;  ///< draws of the rest for each draw of the factors
};

struct Quality {
  double bias = 0, deviation = 0;  ///< of the value, nats
  /// Of the gradient, relative to the true gradient's length: of the mean error, and root mean square of one
  /// estimate's error. A training step of `b` such estimates errs by sqrt(bias^2 + rest / b).
  double gradient_bias = 0, gradient_error = 0;
  double error() const { return std::hypot(bias, deviation); }
};

/// `passes` / inner draws of the factors, `repetitions` times.
Quality quality_of(const Problem& problem, const Candidate& candidate, std::int64_t passes,
                   std::int64_t repetitions);

/// Every combination of sampling and correction with independent draws, and every placement of crossed draws.
std::vector<Candidate> candidates();

}  // namespace whence::bench
