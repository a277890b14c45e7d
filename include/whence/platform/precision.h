// In which number format the heavy layers run.
#pragma once

#include <string>
#include <string_view>

namespace whence {

/// bfloat16 means: convolutions and large products in bfloat16 with float32 sums inside; weights, the networks' last
/// layers, probabilities, logarithms and losses stay float32.
enum class Precision { float32, bfloat16 };

/// `automatic` is resolved once per process by choose_precision.
enum class PrecisionRequest { automatic, float32, bfloat16 };

struct PrecisionChoice {
  Precision precision = Precision::float32;
  std::string reason;  ///< a sentence with the measured rates, for the run folder
};

/// automatic: times one training-sized convolution, forward and backward, in both formats and takes bfloat16 when it
/// is at least 1.5 times as fast. It is timed on one thread and by that thread's processor time, so that the choice
/// does not change with what else the machine does. Error: bfloat16 requested on a processor without it.
PrecisionChoice choose_precision(PrecisionRequest request);

std::string_view name_of(Precision precision);

}  // namespace whence
