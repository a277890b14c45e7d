#include "whence/platform/interrupt.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>

#include "whence/core/error.h"

namespace whence {
namespace {

/// Runs in a child process of its own: a signal that came stays.
[[noreturn]] void end_with(bool as_expected) { ::_exit(as_expected ? 0 : 1); }

class InterruptDeathTest : public testing::TestWithParam<int> {
 protected:
  void SetUp() override { GTEST_FLAG_SET(death_test_style, "threadsafe"); }
};

TEST_P(InterruptDeathTest, FirstSignalIsRemembered) {
  const auto work = [] {
    install_interrupt_handler();
    const bool before = interrupted();
    throw_if_interrupted();
    ::raise(GetParam());
    try {
      throw_if_interrupted();
    } catch (const Error& error) {
      end_with(!before && interrupted() && error.code() == ExitCode::interrupted);
    }
    end_with(false);
  };
  EXPECT_EXIT(work(), testing::ExitedWithCode(0), "");
}

TEST_P(InterruptDeathTest, SecondSignalEndsAtOnce) {
  const auto work = [] {
    install_interrupt_handler();
    ::raise(SIGINT);
    ::raise(GetParam());
    end_with(true);
  };
  EXPECT_EXIT(work(), testing::KilledBySignal(GetParam()), "");
}

INSTANTIATE_TEST_SUITE_P(Signals, InterruptDeathTest, testing::Values(SIGINT, SIGTERM));

}  // namespace
}  // namespace whence
