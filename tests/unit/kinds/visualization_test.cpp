// The kind "visualization": keys, a run with a judge, its pages, figures and section of the report.
#include "kinds/visualization/visualization.h"

#include "experiment/metrics.h"
#include "kinds/visualization/gallery.h"
#include "unit/kinds/pipeline_support.h"
#include "whence/interchange/safetensors.h"

namespace whence::kinds {
namespace {

using whence::test::contains;
using whence::test::usage_error_of;

Recipe visualizing(const std::vector<std::string>& settings) {
  return parse_recipe(kinds(), whence::test_support::kLeast, "least.toml", settings);
}

TEST(VisualizationKind, SettingsReachTheMethod) {
  const Recipe recipe =
      visualizing({"visualization.objectives=[\"logit\", \"channel\"]", "visualization.steps=7",
                   "visualization.jitter=3.5", "visualization.bilateral_blur=1",
                   "visualization.parametrizations=[\"pixels\", \"maco\"]"});
  const auto& own = recipe.get<VisualizationOptions>();
  EXPECT_EQ(own.objectives, (std::vector<std::string>{"logit", "channel"}));
  EXPECT_EQ(own.options.steps, 7);
  EXPECT_EQ(own.options.robustness.jitter, 3.5);
  EXPECT_TRUE(
      contains(usage_error_of([] { visualizing({"visualization.objectives=[\"chanel\"]"}); }), "'channel'"));
  EXPECT_TRUE(contains(usage_error_of([] { visualizing({"visualization.jiter=1"}); }), "jitter"));
  EXPECT_TRUE(
      contains(usage_error_of([] {
                 visualizing({"visualization.objectives=[\"logit\"]", "visualization.gaussian_blur=1"});
               }),
               "no 'pixels'"));
}

TEST_F(Pipeline, PicturesAreMadeWhereARecipeNamesObjectives) {
  const std::vector<std::string> settings = {
      "visualization.objectives=[\"logit\", \"channel\", \"direction\"]",
      "visualization.parametrizations=[\"fourier\", \"prior\"]",
      "visualization.steps=5",
      "visualization.units=2",
      "visualization.references=40",
      "visualization.negative=true",
      "visualization.real=2"};
  PipelineOptions options;
  options.last = "visualization";
  const Names first = done_by([&] { run(settings, options); });
  EXPECT_EQ(std::vector<std::string>(first.end() - 2, first.end()), (Names{"judge", "visualization"}));
  EXPECT_EQ(done_by([&] { run(settings, options); }), Names{});
  const nlohmann::json metrics = collect_metrics(kinds(), folder_).at("visualization");
  EXPECT_GT(metrics.at("judge").get<double>(), 0.4);
  ASSERT_EQ(metrics.at("pages").size(), 3U);
  const nlohmann::json& logit = metrics.at("pages").at("logit");
  EXPECT_EQ(logit.at("order"), (Names{"control", "fourier", "fourier-negative", "prior", "prior-negative"}));
  EXPECT_TRUE(logit.at("columns").at("prior").contains("transfer"));
  EXPECT_FALSE(logit.at("columns").at("prior-negative").contains("transfer"));
  EXPECT_EQ(logit.at("units").at(1).at("name"), "right");
  const nn::NamedTensors tensors = nn::load_safetensors(folder_ / "visualizations.safetensors").tensors;
  for (const auto& [id, page] : metrics.at("pages").items()) {
    EXPECT_EQ(page.at("columns").at("fourier").contains("transfer"), id == "logit");
    const GalleryPage read = page_of(page, id, tensors);
    EXPECT_EQ(read.id(), id);
    const report::ImageGrid grid = gallery_figure(read, {"left", "right"}, true);
    EXPECT_EQ(grid.images.sizes(), at::IntArrayRef({2, 7, 1, 8, 8})) << id;
    EXPECT_EQ(grid.column_labels.size(), 7U);
    EXPECT_EQ(grid.classes.defined(), id == "logit");
  }
  const report::Section section = visualization_section_of(metrics);
  EXPECT_EQ(section.tables.size(), 3U);
  EXPECT_TRUE(contains(section.paragraphs.front(), "The control has no regularizer"));
  EXPECT_EQ(metric_named(all_metrics(kinds()), "transfer_prior").better, Better::higher);
  const auto without = [&](const std::string& setting) {
    auto others = settings;
    others.push_back(setting);
    return done_by([&] { run(others, options); });
  };
  EXPECT_EQ(without("visualization.jitter=0"), Names{"visualization"});
  EXPECT_EQ(without("visualization.judge=false"), (Names{"judge", "visualization"}));
  EXPECT_FALSE(collect_metrics(kinds(), folder_).at("visualization").contains("judge"));
}

}  // namespace
}  // namespace whence::kinds
