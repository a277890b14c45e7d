// Bias and spread of the designs' values and gradients on one problem.
#pragma once

#include <map>
#include <string>

#include "estimators/design.h"
#include "estimators/problem.h"
#include "whence/explain/gce/label_model.h"

namespace whence::bench {

struct Quality {
  double bias = 0, deviation = 0;  ///< of the value, nats
  /// Of the gradient, relative to the true gradient's length: of the mean error, and root mean square of one
  /// estimate's error.
  double gradient_bias = 0, gradient_error = 0;

  double error() const { return std::hypot(bias, deviation); }
  /// The gradient's error after averaging so many estimates that `own` passes each cost `budget` together: the bias
  /// stays, the rest shrinks.
  double gradient_error_at(double own, double budget) const;
};

/// A label model that has learned from 32,768 draws of the problem's generator: the variational bound at its best.
gce::LabelModel learned_labels(const Problem& problem);

Quality quality_of(const Problem& problem, const Design& design, const gce::LabelModel& labels,
                   std::int64_t repetitions);

/// Of all designs, by name. Designs of 1,000 passes and more get a quarter of the repetitions.
std::map<std::string, Quality> qualities_of(const Problem& problem, std::int64_t repetitions);

}  // namespace whence::bench
