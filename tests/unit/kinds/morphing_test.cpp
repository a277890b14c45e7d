// The kind "morphing": keys, a run with its independent classifier, the report's section.
#include "kinds/morphing/morphing.h"

#include "experiment/metrics.h"
#include "kinds/attribution/attribution.h"
#include "kinds/morphing/entropy.h"
#include "kinds/morphing/study.h"
#include "unit/kinds/pipeline_support.h"
#include "whence/explain/attribution/path_mask.h"

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

/// Before anything is trained.
TEST(MorphingKind, NeedsAnEncoder) {
  const std::vector<std::string> asked = {"morphing.images=5", "generator.latents=8"};
  const auto error = [&](const std::string& more) {
    std::vector<std::string> settings = asked;
    settings.push_back(more);
    return usage_error_of([&] { morphing_recipe(settings); });
  };
  EXPECT_TRUE(contains(error("generator.objective=\"gan\""), "the generator has no encoder"));
  EXPECT_TRUE(contains(error("generator.file=\"decoder.pt2\""), "the generator has no encoder"));
  // [explanation] is unused beside generator.latents.
  EXPECT_NO_THROW(morphing_recipe({"morphing.images=5", "generator.latents=8", "explanation.steps=0"}));
  const auto maps = [](const std::vector<std::string>& more) {
    std::vector<std::string> settings = {"attribution.methods=[\"gradient\", \"path_mask\"]"};
    settings.insert(settings.end(), more.begin(), more.end());
    return usage_error_of([&] { morphing_recipe(settings); });
  };
  EXPECT_TRUE(contains(maps({"explanation.steps=0"}), "path_mask, which needs an autoencoder"));
  EXPECT_TRUE(contains(maps({"generator.latents=8", "generator.objective=\"gan\""}), "path_mask"));
  EXPECT_NO_THROW(morphing_recipe({"attribution.methods=[\"gradient\", \"path_mask\"]"}));
}

TEST(MorphingKind, PathMethodsMakeTheirMorphsByItsKeys) {
  const Recipe recipe =
      morphing_recipe({"morphing.method=\"published\"", "morphing.start=0.85", "morphing.residual=true",
                       "morphing.draws=5", "attribution.path_steps=7"});
  const AttributionOptions options = attribution_options(recipe.values);
  const auto& path = options.options.of<attribution::ImagePath>();
  EXPECT_EQ(path.steps, 7);
  EXPECT_EQ(path.morphing.method, counterfactual::MorphMethod::published);
  EXPECT_EQ(path.morphing.anchored.start, 0.85);
  EXPECT_TRUE(path.morphing.residual);
  EXPECT_EQ(path.morphing.draws, 5);
  // The flags of `whence attribute` are the same keys.
  config::Values values;
  for (const config::Key& key : morph_keys("morph_"))
    if (key.name == "morph_start") config::assign(key, "0.25", "--morph-start", values);
  EXPECT_EQ(attribution_options(values).options.of<attribution::ImagePath>().morphing.anchored.start, 0.25);
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
  const nlohmann::json& entropy = metrics.at("path_entropy");
  EXPECT_EQ(entropy.at("pairs"), 100);
  EXPECT_EQ(entropy.at("mean").at("entropy").size(), 100U);
  EXPECT_GT(entropy.at("r").at("steps").get<double>(), 0);
  EXPECT_GT(entropy.at("in_window").get<double>(), entropy.at("outside").get<double>());
  EXPECT_EQ(*value_of(metric_named(all_metrics(kinds()), "entropy_r"), all),
            entropy.at("r").at("values").get<double>());
  const report::LineChart chart = entropy_chart(entropy);
  ASSERT_EQ(chart.panels.size(), 2U);
  ASSERT_EQ(chart.panels[0].series.size(), 4U);  // one path, all, the mean step, its window
  const report::Series& window = chart.panels[0].series[3];
  EXPECT_NEAR(window.x.back() - window.x.front(),
              2 * 1.96 * entropy.at("example").at("deviation").get<double>(), 1e-9);
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
  std::vector<std::string> settings = {"attribution.methods=[\"path_mask\", \"path_integrated_gradients\"]",
                                       "attribution.images=6", "attribution.patch=2",
                                       "attribution.path_steps=6"};
  run(settings, options);
  const nlohmann::json methods = collect_metrics(kinds(), folder_).at("attribution").at("methods");
  EXPECT_TRUE(methods.at("path_mask").contains("approximation_error"));
  EXPECT_TRUE(methods.at("path_integrated_gradients").contains("completeness_error"));
  // Other morphs are other paths; what only the study of morphs needs is none of theirs.
  settings.emplace_back("morphing.target=\"left\"");
  EXPECT_EQ(done_by([&] { run(settings, options); }), Names{});
  settings.emplace_back("morphing.start=0.9");
  EXPECT_EQ(done_by([&] { run(settings, options); }), Names{"attribution"});
  settings.insert(settings.end(),
                  {"attribution.path_mask_solver=\"published\"", "attribution.path_mask_iterations=3",
                   "attribution.path_baseline=\"nearest\""});
  run(settings, options);
  EXPECT_FALSE(collect_metrics(kinds(), folder_)
                   .at("attribution")
                   .at("methods")
                   .at("path_mask")
                   .contains("approximation_error"));
}

}  // namespace
}  // namespace whence::kinds
