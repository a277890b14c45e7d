// The ways to spend passes through generator and classifier that are compared.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "whence/explain/gce/objective.h"

namespace whence::bench {

struct Design {
  flow::Estimator estimator;
  std::int64_t outer = 32, inner = 4;  ///< draws of alpha, and of beta for each
  gce::Inference inference = gce::Inference::averaged;

  std::int64_t passes() const { return outer * inner; }
  /// "crossed stratified delta 32x4"
  std::string name() const;
};

/// Designs of one kind, from few passes to many.
struct Family {
  std::string name;
  std::vector<Design> designs;
};

/// The rows of the tables.
std::vector<Design> all_designs();
/// The lines of the figures; their designs are among all_designs().
std::vector<Family> families();

}  // namespace whence::bench
