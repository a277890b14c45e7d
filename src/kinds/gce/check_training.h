// Options of a causal explanation's training that contradict each other.
#pragma once

#include <string>

#include "whence/explain/gce/train.h"

namespace whence::kinds {

/// Errors (usage), which begin with `file`: weights that leave nothing to train; terms whose draws or whose pretraining are missing.
void check_training(const gce::Training& options, const std::string& file);
/// Error (usage): a jackknife of draws that are not independent. `keys`: "evaluation.flow_", before the names of its keys.
void check_estimator(const flow::Estimator& estimator, const std::string& keys, const std::string& file);

}  // namespace whence::kinds
