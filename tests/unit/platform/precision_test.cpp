#include "whence/platform/precision.h"

#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <cstring>

#include "support/errors.h"
#include "whence/platform/machine.h"

namespace whence {
namespace {

TEST(Precision, TakesFloat32WhenAsked) {
  const PrecisionChoice choice = choose_precision(PrecisionRequest::float32);
  EXPECT_EQ(choice.precision, Precision::float32);
  EXPECT_NE(choice.reason.find("asked"), std::string::npos);
}

TEST(Precision, TakesBfloat16OnlyWhereTheProcessorHasIt) {
  if (describe_machine().bfloat16) {
    EXPECT_EQ(choose_precision(PrecisionRequest::bfloat16).precision, Precision::bfloat16);
  } else {
    test::expect_error([] { choose_precision(PrecisionRequest::bfloat16); }, {"bfloat16", "processor"});
    EXPECT_EQ(choose_precision(PrecisionRequest::automatic).precision, Precision::float32);
  }
}

TEST(Precision, ChoosesByTheRatesThatItReports) {
  const PrecisionChoice choice = choose_precision(PrecisionRequest::automatic);
  EXPECT_TRUE(choice.reason.starts_with(name_of(choice.precision))) << choice.reason;
  if (!describe_machine().bfloat16) return;
  double narrow = 0, plain = 0;
  const char* rates = std::strstr(choice.reason.c_str(), "runs at");
  ASSERT_NE(rates, nullptr) << choice.reason;
  ASSERT_EQ(std::sscanf(rates, "runs at %lf GFLOP/s in bfloat16 and %lf in float32", &narrow, &plain), 2)
      << rates;
  const double ratio = narrow / plain;
  if (std::abs(ratio - 1.5) > 0.1) {
    EXPECT_EQ(choice.precision == Precision::bfloat16, ratio > 1.5) << choice.reason;
  }
  EXPECT_EQ(choose_precision(PrecisionRequest::automatic).reason, choice.reason) << "it is measured once";
}

TEST(Precision, LeavesGradientModeAndThreadsAsTheyWere) {
  if (!describe_machine().bfloat16) GTEST_SKIP() << "nothing is timed on a processor without bfloat16";
  const at::AutoGradMode off(false);
  use_threads(2);
  choose_precision(PrecisionRequest::bfloat16);
  EXPECT_FALSE(at::GradMode::is_enabled());
  EXPECT_EQ(at::get_num_threads(), 2);
}

}  // namespace
}  // namespace whence
