#include "kinds/gce/figures.h"

#include <gtest/gtest.h>

#include "support/files.h"
#include "whence/core/files.h"

namespace whence::kinds {
namespace {

nlohmann::json flow_of(const std::vector<double>& nats, std::size_t causal) {
  nlohmann::json factors = nlohmann::json::array();
  for (std::size_t i = 0; i < nats.size(); ++i)
    factors.push_back(
        {{"name", fmt::format("z{}", i)}, {"causal", i < causal}, {"nats", nats[i]}, {"se", 0.01}});
  const nlohmann::json set = {{"nats", 1.0}, {"se", 0.01}};
  return {{"alpha", set}, {"beta", set}, {"factors", factors}};
}

TEST(ShownFactors, AreTheCausalOnesAndTheLargestOfTheOthersInTheirOrder) {
  const nlohmann::json flow = flow_of({0.0, 0.9, 0.01, 0.3, -0.02, 0.2}, 2);
  using Names = std::vector<std::string>;
  EXPECT_EQ(shown_factors(flow, 2), (Names{"z0", "z1", "z3", "z5"}));
  EXPECT_EQ(shown_factors(flow, 1), (Names{"z0", "z1", "z3"}));
  for (const std::int64_t all : {0, 4, 12})
    EXPECT_EQ(shown_factors(flow, all), (Names{"z0", "z1", "z2", "z3", "z4", "z5"}));
  EXPECT_EQ(shown_factors(flow_of({0.5, 0.4}, 2), 1), (Names{"z0", "z1"}));
}

TEST(DrawFlow, SaysHowManyOfTheOthersItShows) {
  const test::TemporaryFolder folder;
  const nlohmann::json flow = flow_of({0.5, 0.1, 0.2, 0.3}, 1);
  const auto drawn = [&](std::int64_t others) {
    draw_flow(flow, shown_factors(flow, others), 3, folder / "flow");
    return read_file(folder / "flow.svg");
  };
  EXPECT_NE(drawn(2).find("of 3 the largest 2"), std::string::npos);
  EXPECT_EQ(drawn(0).find("largest"), std::string::npos);
  EXPECT_NE(drawn(0).find("z1"), std::string::npos);
  EXPECT_EQ(drawn(2).find("z1"), std::string::npos);
}

}  // namespace
}  // namespace whence::kinds
