#include "whence/core/names.h"

#include <gtest/gtest.h>

#include <array>

namespace whence {
namespace {

constexpr std::array<std::string_view, 5> keys = {"batch_size", "steps", "learning_rate", "lambda", "seed"};

TEST(NearestName, FindsTypingSlips) {
  EXPECT_EQ(nearest_name("step", keys), "steps");    // left out
  EXPECT_EQ(nearest_name("stteps", keys), "steps");  // put in
  EXPECT_EQ(nearest_name("steqs", keys), "steps");   // replaced
  EXPECT_EQ(nearest_name("setps", keys), "steps");   // exchanged
  EXPECT_EQ(nearest_name("Learning-Rate", keys), "learning_rate");
  EXPECT_EQ(nearest_name("lamda", keys), "lambda");
}

TEST(NearestName, FindsNothingWhenNothingIsNear) {
  EXPECT_EQ(nearest_name("optimiser", keys), "");
  EXPECT_EQ(nearest_name("", keys), "");
  EXPECT_EQ(nearest_name("x", keys), "");
  EXPECT_EQ(nearest_name("step", {}), "");
  const std::array<std::string_view, 2> letters = {"K", "L"};
  EXPECT_EQ(nearest_name("M", letters), "");
  EXPECT_EQ(nearest_name("k", letters), "K");
}

TEST(NearestName, TakesTheNearestAndTheFirstOfEqualOnes) {
  const std::array<std::string_view, 3> names = {"alphas", "alpha1", "alpha"};
  EXPECT_EQ(nearest_name("alpa", names), "alpha");
  EXPECT_EQ(nearest_name("alpha2", names), "alphas");
}

TEST(DidYouMean, EndsASentence) {
  EXPECT_EQ(did_you_mean("lamda", keys), " (did you mean 'lambda'?)");
  EXPECT_EQ(did_you_mean("optimiser", keys), "");
}

}  // namespace
}  // namespace whence
