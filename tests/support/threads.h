// A number of threads for the length of a test.
#pragma once

#include <ATen/Parallel.h>

#include "whence/platform/machine.h"

namespace whence::test {

class Threads {
 public:
  explicit Threads(int count) { use_threads(count); }
  ~Threads() { use_threads(before_); }
  Threads(const Threads&) = delete;
  Threads& operator=(const Threads&) = delete;

 private:
  int before_ = at::get_num_threads();
};

}  // namespace whence::test
