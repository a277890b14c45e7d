// The kind "morphing": keys, a run with its independent classifier, the report's section.
#include "kinds/morphing/morphing.h"

#include "experiment/metrics.h"
#include "kinds/morphing/study.h"
#include "unit/kinds/pipeline_support.h"

namespace whence::kinds {
namespace {

using whence::test::contains;
using whence::test::usage_error_of;

Recipe morphing_recipe(const std::vector<std::string>& settings) {
  return parse_recipe(kinds(), whence::test_support::kLeast, "least.toml", settings);
}

TEST(MorphingKind, SettingsReachTheSearch) {
  const Recipe recipe =
      morphing_recipe({"morphing.images=5", "morphing.method=\"published\"", "morphing.published_weight=10",
                       "morphing.anchors=7", "morphing.target=\"Coat\""});
  const auto& own = recipe.get<MorphingOptions>();
  EXPECT_EQ(own.search.method, counterfactual::MorphMethod::published);
  EXPECT_EQ(own.search.published.likelihood_weight, 10);
  EXPECT_EQ(own.search.anchored.anchors, 7);
  EXPECT_EQ(own.target, "Coat");
  EXPECT_TRUE(contains(usage_error_of([] { morphing_recipe({"morphing.entropy=0"}); }), "morphing.entropy"));
  EXPECT_TRUE(contains(usage_error_of([] {
                         morphing_recipe({"morphing.images=5", "explanation.steps=0"});
                       }),
                       "trains no generator"));
}

TEST_F(Pipeline, MorphsAreMeasuredBesideTheirControls) {
  const std::vector<std::string> settings = {"morphing.images=20", "morphing.known=200",
                                             "morphing.components=4", "classifier.epochs=3",
                                             "explanation.steps=60"};
  PipelineOptions options;
  options.last = "morphing";
  EXPECT_EQ(done_by([&] { run(settings, options); }).back(), "morphing");
  EXPECT_EQ(done_by([&] { run(settings, options); }), Names{});
  const nlohmann::json all = collect_metrics(kinds(), folder_), metrics = all.at("morphing");
  EXPECT_EQ(metrics.at("cases"), 20);
  EXPECT_GT(all.at("independent").at("test_accuracy").get<double>(), 0.8);
  for (const char* way : {"morph", "counterfactual", "adversarial_l2", "adversarial_linf"}) {
    ASSERT_TRUE(metrics.at("ways").contains(way)) << way;
    const nlohmann::json& own = metrics.at("ways").at(way);
    if (own.at("failed").get<double>() == 1) continue;
    for (const char* name : {"transfer", "neighbours", "reencoding", "distance", "im1", "im2"})
      EXPECT_TRUE(std::isfinite(own.at(name).get<double>())) << way << " " << name;
  }
  const nlohmann::json& morph = metrics.at("ways").at("morph");
  EXPECT_EQ(morph.at("failed"), 0);
  double sum = 0;
  for (const auto& [name, share] : morph.at("endings").items()) sum += share.get<double>();
  EXPECT_NEAR(sum, 1, 1e-9);
  EXPECT_EQ(metric_named(all_metrics(kinds()), "morph_transfer").better, Better::higher);
  const report::Section section = morphing_section_of(metrics);
  EXPECT_EQ(section.tables.front().rows.size(), 5U);  // four ways, and the reconstruction

  // Every class in turn: of two classes each image has one other.
  std::vector<std::string> others = settings;
  others.emplace_back("morphing.target=\"every\"");
  EXPECT_EQ(done_by([&] { run(others, options); }), Names{"morphing"});
  EXPECT_EQ(collect_metrics(kinds(), folder_).at("morphing").at("cases"), 20);
  others.back() = "morphing.target=\"left\"";
  run(others, options);
  const nlohmann::json left = collect_metrics(kinds(), folder_).at("morphing");
  EXPECT_GT(left.at("left_out").get<int>(), 0);
  EXPECT_EQ(left.at("cases").get<int>() + left.at("left_out").get<int>(), 20);
  others.back() = "morphing.target=\"leftt\"";
  EXPECT_TRUE(contains(usage_error_of([&] { run(others, options); }), "did you mean 'left'?"));
}

TEST_F(Pipeline, PathMasksAreMeasuredWithTheRunsGenerator) {
  PipelineOptions options;
  options.last = "attribution";
  run({"attribution.methods=[\"path_mask\", \"path_integrated_gradients\"]", "attribution.images=6",
       "attribution.patch=2", "attribution.path_steps=6"},
      options);
  const nlohmann::json methods = collect_metrics(kinds(), folder_).at("attribution").at("methods");
  EXPECT_TRUE(methods.at("path_mask").contains("approximation_error"));
  EXPECT_TRUE(methods.at("path_integrated_gradients").contains("completeness_error"));
}

}  // namespace
}  // namespace whence::kinds
