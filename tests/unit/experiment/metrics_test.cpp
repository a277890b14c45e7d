#include "experiment/metrics.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace whence::experiment {
namespace {

nlohmann::json example() {
  return nlohmann::json::parse(R"({
    "data": {"image": [1, 28, 27]}, "none": null, "passed": true,
    "factors": [{"name": "alpha_1", "nats": 0.5}, {"name": "beta_2", "nats": 0.02}]})");
}

TEST(Metrics, PathsGoThroughListsByNameOrNumber) {
  EXPECT_EQ(number_at(example(), "factors.beta_2.nats"), 0.02);
  EXPECT_EQ(number_at(example(), "data.image.2"), 27);
  EXPECT_EQ(number_at(example(), "passed"), 1);
  for (const char* path :
       {"data", "none", "factors.1", "data.image.3", "data.image.-1", "", ".", "data.", "passed.x"})
    EXPECT_FALSE(number_at(example(), path)) << path;
}

TEST(Spread, OfOddAndEvenCounts) {
  const Spread three = spread_of({3, 1, 10});
  EXPECT_EQ(three.least, 1);
  EXPECT_EQ(three.median, 3);
  EXPECT_EQ(three.most, 10);
  EXPECT_EQ(three.count, 3u);
  EXPECT_EQ(spread_of({4, 1, 2, 9}).median, 3);
  EXPECT_EQ(spread_of({}).count, 0u);
}

TEST(Unit, Scales) {
  EXPECT_EQ(shown_per_measured("%"), 100);
  EXPECT_EQ(90 * shown_per_measured("min"), 1.5);
  EXPECT_EQ(shown_per_measured("nats"), 1);
  EXPECT_EQ(measured_unit("points"), "share");
  EXPECT_EQ(shown({"cost", "", "points", 1, Better::lower, "", ""}, 0.0123), "1.2");
}

}  // namespace
}  // namespace whence::experiment
