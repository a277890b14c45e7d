#include "whence/nn/training/schedule.h"

#include <gtest/gtest.h>

namespace whence::nn {
namespace {

TEST(OneCycle, RisesLinearlyAndFallsAsACosine) {
  const double expected[] = {1, 2, 2 * 0.9330127, 2 * 0.75, 1, 2 * 0.25, 2 * 0.0669873, 0};
  for (int step = 0; step < 8; ++step) EXPECT_NEAR(one_cycle(step, 8, 2, 0.25), expected[step], 1e-6) << step;
}

TEST(OneCycle, MayOnlyRiseOrOnlyFall) {
  EXPECT_DOUBLE_EQ(one_cycle(3, 4, 0.5, 1), 0.5);
  EXPECT_DOUBLE_EQ(one_cycle(0, 4, 0.5, 1), 0.125);
  EXPECT_NEAR(one_cycle(1, 4, 0.5, 0), 0.25, 1e-12);
  EXPECT_NEAR(one_cycle(3, 4, 0.5, 0), 0, 1e-12);
}

}  // namespace
}  // namespace whence::nn
