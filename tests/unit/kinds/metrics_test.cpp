#include "experiment/metrics.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <set>

#include "kinds/kinds.h"

namespace whence::kinds {
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
      "trust": {"randomization": {"passed": true}}},
    "stages": {"data": {"seconds": 1.5}, "classifier": {"seconds": 101}}, "peak_memory_bytes": 1048576})");
}

std::optional<double> measured(const nlohmann::json& metrics, std::string_view name) {
  return value_of(experiment::metric_named(experiment::all_metrics(kinds()), name), metrics);
}

TEST(Metrics, NamedOnesAreComputed) {
  const std::vector<std::pair<const char*, double>> known = {
      {"accuracy", 0.956},      {"flow", 0.97},          {"largest_beta", 0.02},
      {"beta_share", 0.03},     {"bound", 21.75},        {"reencoded", 0.856},
      {"alpha_kept", 0.556},    {"beta_kept", 0.852},    {"alpha_cost", 0.3},
      {"beta_cost", 0.004},     {"brightness", 0.75},    {"brightness_encoded", 0.5},
      {"total_seconds", 102.5}, {"linear_bound", 26.75}, {"memory_bytes", 1048576}};
  for (const auto& [name, value] : known) {
    const auto found = measured(example(), name);
    ASSERT_TRUE(found) << name;
    EXPECT_NEAR(*found, value, 1e-12) << name;
  }
}

TEST(Metrics, WhatWasNotMeasuredIsNothing) {
  EXPECT_FALSE(measured(example(), "flip_rate"));
  for (const experiment::Metric& metric : experiment::all_metrics(kinds()))
    EXPECT_FALSE(value_of(metric, nlohmann::json::object())) << metric.name;
}

TEST(Metrics, NamesAreDifferentAndEveryMetricIsOfItsKindsObject) {
  std::set<std::string_view> names;
  for (const experiment::Metric& metric : experiment::all_metrics(kinds())) {
    EXPECT_TRUE(names.insert(metric.name).second) << metric.name;
    EXPECT_TRUE(metric.path.empty() == (metric.of != nullptr)) << metric.name;
    EXPECT_TRUE(metric.doc.ends_with('.')) << metric.name;
  }
  for (const experiment::Kind& kind : kinds())
    for (const experiment::Metric& metric : kind.metrics)
      EXPECT_TRUE(metric.path.empty() || metric.path.starts_with(kind.name)) << metric.name;
}

TEST(Metrics, AGeneratorAloneHasNoFactors) {
  const nlohmann::json explained = example(), plain = {{"generator", explained.at("gce")}};
  EXPECT_EQ(measured(plain, "bound"), 21.75);
  EXPECT_EQ(measured(explained, "bound"), 21.75);
  for (const char* name : {"flow", "largest_beta", "beta_share", "alpha_kept", "beta_kept", "alpha_cost"})
    EXPECT_FALSE(measured(plain, name)) << name;
}

}  // namespace
}  // namespace whence::kinds
