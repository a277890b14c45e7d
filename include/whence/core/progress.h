// How long work reports to whoever watches: a callback, so that training loops know neither terminal nor run folder.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace whence {

struct Progress {
  std::string stage;       ///< "classifier", "explanation", "information flow", ...
  std::int64_t step = 0;   ///< steps done
  std::int64_t total = 0;  ///< steps in all; 0 when unknown
  std::vector<std::pair<std::string, double>>
      values;                  ///< named readings, e.g. {"C", 1.03}, in nats or as named
  std::string unit = "steps";  ///< what a step is called in a rate
};

/// Called often (every step); the receiver decides how seldom it shows or logs. May throw to stop the work.
using ProgressCallback = std::function<void(const Progress&)>;

}  // namespace whence
