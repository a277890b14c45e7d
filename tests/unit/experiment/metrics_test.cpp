#include "experiment/metrics.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace whence::experiment {
namespace {

nlohmann::json example() {
  return nlohmann::json::parse(R"({
    "classifier": {"test_accuracy": 0.956, "train_seconds": 100},
    "data": {"image": [1, 28, 27]},
    "gce": {
      "test": {"sse": 14.5, "kl": 7.25}, "linear": {"sse": 20.5, "kl": 6.25, "used": 4},
      "information_flow": {
        "alpha": {"nats": 0.97, "se": 0.002}, "beta": {"nats": 0.03, "se": 0.001}, "most_possible": 1.0986,
        "factors": [{"name": "alpha_1", "causal": true, "nats": 0.5, "se": 0.01},
                    {"name": "beta_1", "causal": false, "nats": 0.001, "se": 0.001},
                    {"name": "beta_2", "causal": false, "nats": 0.02, "se": 0.001}]},
      "ablation": {"original": 0.956, "reencoded": 0.856, "samples": 1000,
                   "replaced": {"alpha_1": 0.523, "alpha_2": 0.556, "beta_1": 0.855, "beta_2": 0.852}},
      "brightness": {"draws": 2000, "factors": [{"name": "alpha_1", "encoded": 0.25, "generated": -0.75},
                                                {"name": "alpha_2", "encoded": -0.5, "generated": 0.5},
                                                {"name": "beta_1", "encoded": 0.9, "generated": 0.9}]},
      "trust": {"randomization": {"passed": true}}, "none": null},
    "stages": {"data": {"seconds": 1.5}, "classifier": {"seconds": 101}}, "peak_memory_bytes": 1048576})");
}

TEST(Metrics, NamedOnesAreComputed) {
  const std::vector<std::pair<const char*, double>> known = {
      {"accuracy", 0.956},      {"flow", 0.97},          {"largest_beta", 0.02},
      {"beta_share", 0.03},     {"bound", 21.75},        {"reencoded", 0.856},
      {"alpha_kept", 0.556},    {"beta_kept", 0.852},    {"alpha_cost", 0.3},
      {"beta_cost", 0.004},     {"brightness", 0.75},    {"brightness_encoded", 0.5},
      {"total_seconds", 102.5}, {"linear_bound", 26.75}, {"memory_bytes", 1048576}};
  for (const auto& [name, value] : known) {
    const auto measured = metric(example(), name);
    ASSERT_TRUE(measured) << name;
    EXPECT_NEAR(*measured, value, 1e-12) << name;
  }
}

TEST(Metrics, PathsGoThroughListsByNameOrNumber) {
  EXPECT_EQ(metric(example(), "gce.information_flow.factors.beta_2.nats"), 0.02);
  EXPECT_EQ(metric(example(), "data.image.2"), 27);
  EXPECT_EQ(metric(example(), "gce.trust.randomization.passed"), 1);
}

TEST(Metrics, WhatWasNotMeasuredIsNothing) {
  for (const char* name :
       {"flip_rate", "gce.tset.sse", "gce.test", "gce.none", "gce.information_flow.factors.1", "data.image.3",
        "data.image.-1", "", ".", "gce.", "classifier.test_accuracy.x"})
    EXPECT_FALSE(metric(example(), name)) << name;
  for (const NamedMetric& named : named_metrics())
    EXPECT_TRUE(!metric(nlohmann::json::object(), named.name)) << named.name;
}

TEST(Metrics, AnAutoencoderAloneHasNoFactors) {
  nlohmann::json plain = example();
  plain["gce"].erase("information_flow");
  plain["gce"]["ablation"]["replaced"] = nlohmann::json::object();
  EXPECT_EQ(metric(plain, "bound"), 21.75);
  for (const char* name :
       {"largest_beta", "beta_share", "alpha_kept", "beta_kept", "alpha_cost", "beta_cost"})
    EXPECT_FALSE(metric(plain, name)) << name;
}

TEST(Metrics, AllNamesHaveAFigure) {
  const std::vector<std::string> names = metric_names(example());
  for (const std::string& name : names) EXPECT_TRUE(metric(example(), name)) << name;
  const auto holds = [&](const char* name) {
    return std::find(names.begin(), names.end(), name) != names.end();
  };
  for (const char* name :
       {"bound", "gce.information_flow.factors.beta_1.se", "data.image.0", "stages.data.seconds"})
    EXPECT_TRUE(holds(name)) << name;
  EXPECT_FALSE(holds("flip_rate"));
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
}

}  // namespace
}  // namespace whence::experiment
