// LibTorch's device "meta" stands in for a GPU: its tensors have shapes and no values, so that whatever would read a value, or
// meet a tensor of the processor, is an error. What runs there waits for nothing and moves everything.
#pragma once

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <string>

#include "whence/core/error.h"
#include "whence/core/progress.h"

namespace whence::test {

/// Runs `training`, which is given a ProgressCallback that stops it after three steps; skips the test where this LibTorch has no
/// meta form of an operation.
template <class Training>
void expect_three_steps_without_a_wait(const Training& training) {
  std::int64_t steps = 0;
  try {
    training([&](const Progress& now) {
      steps = now.step;
      if (steps == 3) throw Error("enough", ExitCode::interrupted);
    });
    FAIL() << "nothing stopped the training";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::interrupted) << error.what();
    EXPECT_EQ(steps, 3);
  } catch (const c10::NotImplementedError& error) {
    const std::string reason = error.what_without_backtrace();
    // Reading a value is "not implemented" too, and what this test is after.
    if (reason.find("_local_scalar_dense") != std::string::npos ||
        reason.find("copy out of meta") != std::string::npos)
      FAIL() << reason;
    GTEST_SKIP() << "this LibTorch lacks an operation on its device meta: " << reason.substr(0, 120);
  }
}

}  // namespace whence::test
