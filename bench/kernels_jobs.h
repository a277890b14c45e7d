// The work that whence is for, in pieces that can be timed again and again.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "nn/kernels.h"
#include "whence/core/precision.h"

namespace whence::bench {

/// One job in one number format.
struct Job {
  std::string name;
  Precision precision;
  /// Does some of it and returns the seconds that a step took, or, where it has no steps, that it all took.
  std::function<double()> run;
  std::vector<nn::KernelFamily> families;  ///< that play a part in it
};

/// Of one format.
std::vector<Job> main_jobs(Precision precision);

}  // namespace whence::bench
