// Figures over seeds, and what their report says of them.
#include "experiment/seeds.h"

#include "kinds/modules/study.h"
#include "report/page.h"
#include "unit/experiment/support.h"
#include "unit/kinds/support.h"

namespace whence::kinds {
namespace {

using whence::test::contains;
using whence::test::error_of;
using whence::test::TemporaryFolder;

/// What a run of one alpha has measured.
nlohmann::json metrics_with(double flow, double correlation) {
  return {{"classifier", {{"test_accuracy", 0.9}}},
          {"gce",
           {{"information_flow",
             {{"alpha", {{"nats", flow}, {"se", 0.001}}},
              {"beta", {{"nats", 0.0}, {"se", 0.001}}},
              {"most_possible", 0.6931},
              {"factors", {{{"name", "alpha_1"}, {"causal", true}, {"nats", flow}, {"se", 0.001}}}}}},
            {"ablation", {{"original", 0.9}, {"reencoded", 0.8}, {"replaced", {{"alpha_1", 0.5}}}}},
            {"test", {{"sse", 10.0}, {"kl", 5.0}}},
            {"trust",
             {{"seeds",
               {{"alpha", {{{"factor", "alpha_1"}, {"other", "alpha_1"}, {"correlation", correlation}}}},
                {"alpha_subspace", correlation}}}}}}},
          {"stages", {{"data", {{"seconds", 60}}}}}};
}

class Seeds : public ::testing::Test {
 protected:
  /// Runs with these flows, each with the picture that the report shows.
  std::vector<SeedRun> runs(const std::vector<double>& flows, double correlation) {
    std::vector<SeedRun> all;
    for (std::size_t i = 0; i < flows.size(); ++i) {
      const auto seed = static_cast<std::int64_t>(i);
      all.push_back({seed, folder_ / fmt::format("seed-{}", seed), metrics_with(flows[i], correlation)});
      std::filesystem::create_directories(all.back().folder / "figures");
      for (const char* extension : {"svg", "png"})
        write_file(all.back().folder / fmt::format("figures/sweep-alpha_1.{}", extension),
                   "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 1 1\"></svg>");
    }
    return all;
  }

  std::string report(const std::vector<SeedRun>& all) {
    report_seeds(SeedSpread(recipe_, all), folder_.path());
    return read_file(folder_ / "report.html");
  }

  TemporaryFolder folder_;
  Recipe recipe_{&kinds()};
};

TEST_F(Seeds, TheSummaryHasMedianSpreadAndEveryValue) {
  const std::vector<SeedRun> all = runs({0.5, 0.3, 0.6}, 0.95);
  const nlohmann::json summary = summary_of(SeedSpread(recipe_, all), folder_.path());
  const nlohmann::json& flow = summary["figures"]["flow"];
  EXPECT_EQ(flow["median"], 0.5);
  EXPECT_EQ(flow["least"], 0.3);
  EXPECT_EQ(flow["most"], 0.6);
  EXPECT_EQ(flow["values"], (std::vector<double>{0.5, 0.3, 0.6}));
  EXPECT_EQ(summary["runs"][2], (nlohmann::json{{"seed", 2}, {"folder", "seed-2"}}));
  EXPECT_FALSE(summary["figures"].contains("flip_rate"));  // nothing measured it
}

TEST_F(Seeds, AFigureThatARunLacksIsLeftOut) {
  std::vector<SeedRun> all = runs({0.5, 0.3}, 0.95);
  all[1].metrics["classifier"].erase("test_accuracy");
  EXPECT_FALSE(summary_of(SeedSpread(recipe_, all), folder_.path())["figures"].contains("accuracy"));
}

TEST_F(Seeds, TheReportOpensWithTheSpreadAndWhetherTheCausesAreTheSame) {
  const std::string same = report(runs({0.5, 0.3, 0.6}, 0.95));
  EXPECT_TRUE(contains(same, "<strong>0.500 nats</strong> (0.300 to 0.600) of the 0.693"));
  EXPECT_TRUE(contains(same, "The same causes come back with every seed"));
  EXPECT_TRUE(contains(same, "Seed 1: alpha_1, most like alpha_1 of seed 0 (correlation 0.95"));
  EXPECT_TRUE(contains(same, "The other seeds"));
  EXPECT_TRUE(contains(same, "seed-2/report.html"));
  const std::string others = report(runs({0.5, 0.3}, 0.4));
  EXPECT_TRUE(contains(others, "one run is one of several explanations"));
  EXPECT_FALSE(contains(others, "The other seeds"));
}

TEST_F(Seeds, WhatCannotBeComparedIsAnError) {
  Display display(DisplayStyle::silent, stderr);
  recipe_.get<TrustOptions>().other_run = "elsewhere";
  EXPECT_TRUE(
      contains(error_of([&] { run_seeds(recipe_, folder_ / "out", 2, false, display); }, ExitCode::usage),
               "trust.other_run is elsewhere"));
  recipe_.get<TrustOptions>().other_run.clear();
  write_file(folder_ / "recipe.toml", "");
  EXPECT_TRUE(
      contains(error_of([&] { run_seeds(recipe_, folder_.path(), 2, false, display); }, ExitCode::usage),
               "is a run, but --seeds needs a folder for several runs"));
  EXPECT_FALSE(std::filesystem::exists(folder_ / "out"));
}

/// Two templates that another training finds in another order, and a third training with other ones.
TEST_F(Seeds, ModulesAreComparedByTheirTemplates) {
  std::vector<SeedRun> all = runs({0.5, 0.5, 0.5}, 0.95);
  recipe_.get<ModulesOptions>().pairs = 16;
  const at::Tensor templates = at::eye(2).view({2, 1, 2});
  for (const SeedRun& run : all) {
    modularity::Modules modules;
    modules.maps = modules.binary = at::ones({3, 1, 2});
    modules.weights = at::ones({3, 2});
    modules.templates = run.seed == 0   ? templates
                        : run.seed == 1 ? templates.flip(0)
                                        : at::full({1, 1, 2}, std::sqrt(0.5));
    modules.labels = {0, 1, 1};
    save_modules(modules, run.folder / "modules.safetensors");
    for (const char* extension : {"svg", "png"})
      std::filesystem::copy(run.folder / fmt::format("figures/sweep-alpha_1.{}", extension),
                            run.folder / fmt::format("figures/modules-maps.{}", extension));
  }
  const std::string page = report(all);
  EXPECT_TRUE(contains(page, "Agreement between seeds: modules"));
  EXPECT_TRUE(contains(page, "1.000")) << "the same in another order";
  EXPECT_TRUE(contains(page, "0.354")) << "one template between both, and one without a counterpart";
  EXPECT_TRUE(contains(page, "2 and 1"));
}

}  // namespace
}  // namespace whence::kinds
