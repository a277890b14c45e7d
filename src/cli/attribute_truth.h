// whence attribute --truth: all methods on problems whose answer is known.
#pragma once

#include "kinds/attribution/attribution.h"
#include "kinds/attribution/comparison.h"

namespace whence::cli {

struct TruthArguments {
  kinds::AttributionMethods methods;
  std::int64_t images = 50;  ///< of each problem
  std::uint64_t seed = 0;
  std::int64_t threads = 0;
  attribution::Options options;
  std::string out;  ///< "": nothing is written
  bool json = false;
};
void show_truth(const TruthArguments& arguments);

}  // namespace whence::cli
