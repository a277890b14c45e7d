// The work that whence is for, in pieces that can be timed again and again.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "nn/kernels/kernels.h"
#include "whence/platform/precision.h"

namespace whence::bench {

/// Seconds that passed, and seconds that all threads together spent on processors, which other programs change less.
struct Cost {
  double seconds = 0, processor = 0;
};

/// One job in one number format.
struct Job {
  std::string name;
  Precision precision;
  /// Does some of it and returns what a step took (the median), or, where it has no steps, what it all took.
  std::function<Cost()> run;
  std::vector<nn::KernelFamily> families;  ///< that play a part in it
};

/// Of one format.
std::vector<Job> main_jobs(Precision precision);

}  // namespace whence::bench
