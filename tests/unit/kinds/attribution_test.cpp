// The kind "attribution": keys, a run, its figure and its section of the report.
#include "kinds/attribution/attribution.h"

#include "experiment/metrics.h"
#include "kinds/attribution/comparison.h"
#include "kinds/attribution/live.h"
#include "report/figures.h"
#include "unit/kinds/pipeline_support.h"
#include "whence/explain/attribution/occlusion.h"
#include "whence/explain/attribution/rise.h"
#include "whence/explain/attribution/smooth_grad.h"

namespace whence::kinds {
namespace {

using whence::test::contains;
using whence::test::usage_error_of;

Recipe recipe_with(const std::vector<std::string>& settings) {
  return parse_recipe(kinds(), whence::test_support::kLeast, "least.toml", settings);
}

TEST(AttributionKind, EveryOptionOfEveryMethodIsAKey) {
  const config::Section section = attribution_section();
  for (const attribution::Method& method : attribution::methods())
    for (const attribution::Option& option : method.options) {
      const auto key = std::find_if(section.keys.begin(), section.keys.end(),
                                    [&](const config::Key& each) { return each.name == option.name; });
      ASSERT_NE(key, section.keys.end()) << option.name;
      EXPECT_EQ(key->doc, option.meaning);
    }
  EXPECT_TRUE(contains(recipe_reference(kinds()), "`smooth_grad_samples`"));
}

TEST(AttributionKind, SettingsReachTheMethods) {
  const Recipe recipe =
      recipe_with({"attribution.methods=[\"occlusion\", \"gradient\"]", "attribution.occlusion_window=7",
                   "attribution.score=\"probability\"", "attribution.smooth_grad_noise=0.5"});
  const auto& own = recipe.get<AttributionOptions>();
  EXPECT_EQ(own.methods, (std::vector<std::string>{"occlusion", "gradient"}));
  EXPECT_EQ(own.options.of<attribution::Occlusion>().window, 7);
  EXPECT_EQ(own.options.of<attribution::SmoothGrad>().noise, 0.5);
  EXPECT_EQ(own.options.score, attribution::Score::probability);
  const Recipe again = parse_recipe(kinds(), to_toml(recipe), "again.toml");
  EXPECT_EQ(again.get<AttributionOptions>().options.of<attribution::Occlusion>().window, 7);
  EXPECT_TRUE(
      contains(usage_error_of([] { recipe_with({"attribution.methods=[\"gradeint\"]"}); }), "gradient"));
  EXPECT_TRUE(
      contains(usage_error_of([] { recipe_with({"attribution.occlusion_window=-1"}); }), "from 0 to 4096"));
}

TEST(AttributionKind, CostlyMethodsMustBeNamedForLargeImages) {
  nn::Network network("tiny", {1, 104, 104});
  network.add("conv", nn::Conv2d{2, 9, 8});
  network.add("flat", nn::Flatten{});
  network.add("fc", nn::Linear{2});
  Generator generator = make_generator(1, "test");
  nn::initialise(network, {}, generator);
  const auto classifier = models::as_classifier(network);
  const at::Tensor images = at::rand({1, 1, 104, 104}), target = at::zeros({1}, at::kLong);
  AttributionOptions options;
  options.options.of<attribution::Rise>().masks = 8;
  options.perturbation.subsets = options.perturbation.noise_draws = 0;
  const AttributionMethods methods = attribution_methods({"gradient", "rise"});
  const Comparison left = compare_methods(*classifier, images, target, methods, options, true, {});
  ASSERT_EQ(left.skipped.size(), 1U);
  EXPECT_EQ(left.skipped.front().first, "rise");
  EXPECT_EQ(compare_methods(*classifier, images, target, methods, options, false, {}).methods.size(), 2U);
}

TEST_F(Pipeline, AttributionsAreMeasuredWhereARecipeNamesMethods) {
  const std::vector<std::string> settings = {
      "attribution.methods=[\"gradient\", \"integrated_gradients\", \"lrp_epsilon\", \"expected_gradients\"]",
      "attribution.images=20", "attribution.patch=2"};
  PipelineOptions options;
  options.last = "attribution";
  const Names before = done_by([&] { run({}, options); });
  EXPECT_EQ(before.back(), "counterfactual");
  EXPECT_EQ(done_by([&] { run(settings, options); }), Names{"attribution"});
  EXPECT_EQ(done_by([&] { run(settings, options); }), Names{});
  const nlohmann::json metrics = collect_metrics(kinds(), folder_).at("attribution");
  EXPECT_EQ(metrics.at("images"), 20);
  ASSERT_EQ(metrics.at("methods").size(), 4U);
  for (const auto& [name, own] : metrics.at("methods").items()) {
    EXPECT_TRUE(std::isfinite(own.at("morf").at("mean").get<double>())) << name;
    EXPECT_GE(own.at("morf").at("se").get<double>(), 0) << name;
    EXPECT_EQ(own.contains("completeness_error"), name != "gradient") << name;
    EXPECT_EQ(own.contains("relative_se"), name == "expected_gradients") << name;
  }
  // Which side is bright is plain: taking away what speaks for the answer hurts more than taking away at random.
  const double random = metrics.at("random_order").at("morf").at("mean").get<double>();
  EXPECT_GT(metrics.at("methods").at("integrated_gradients").at("morf").at("mean").get<double>(), random);
  EXPECT_EQ(metric_named(all_metrics(kinds()), "morf_gradient").better, Better::higher);
  EXPECT_EQ(done_by([&] {
              auto others = settings;
              others.emplace_back("attribution.integrated_gradients_steps=5");
              run(others, options);
            }),
            Names{"attribution"});
}

Comparison of_maps(const std::vector<at::Tensor>& maps) {
  Comparison comparison;
  const char* names[] = {"gradient", "occlusion"};
  for (std::size_t i = 0; i < maps.size(); ++i) {
    MeasuredMaps own;
    own.method = &attribution::method(names[i]);
    own.found.values = maps[i];
    own.found.scores = at::ones({maps[i].size(0)});
    comparison.methods.push_back(std::move(own));
  }
  return comparison;
}

/// The deepest colour belongs to the largest value of the row, not of each map.
TEST(AttributionFigure, MapsOfARowShareOneScale) {
  at::Tensor maps = at::zeros({2, 1, 4, 4});
  maps[0][0][1][1] = 2;
  maps[1][0][2][2] = 1;
  const at::Tensor images = at::zeros({2, 1, 4, 4});
  const report::ImageGrid grid =
      attribution_figure(of_maps({maps, maps.clone()}), images, at::zeros({2}, at::kLong), {"a", "b"}, 9);
  ASSERT_EQ(grid.images.sizes(), at::IntArrayRef({3, 2, 3, 4, 4}));
  const at::Tensor white = at::ones({3}), deep = grid.images[1][0].select(1, 1).select(1, 1),
                   half = grid.images[1][1].select(1, 2).select(1, 2);
  EXPECT_TRUE(at::allclose(half, 0.5 * (white + deep), 1e-5));
  EXPECT_LT(deep.min().item<float>(), 0.2);
  EXPECT_TRUE(at::equal(grid.images[1][0].select(1, 0).select(1, 0), white));
  EXPECT_TRUE(contains(grid.row_labels[1], "gradient (2)"));
  EXPECT_EQ(grid.column_labels, (std::vector<std::string>{"a", "a"}));
}

/// In the page each map has a scale of its own: its largest size is the byte 127.
TEST(AttributionLayer, HoldsMapsAsBytesWithTheirScales) {
  at::Tensor maps = at::zeros({2, 1, 1, 3});
  maps[0][0][0][0] = -0.5;
  maps[0][0][0][2] = 0.25;
  const ExplainedImages images{at::ones({2, 1, 1, 3}), at::tensor({1, 0}, at::kLong), {}, {"a", "b"}};
  const auto layer = nlohmann::json::parse(maps_layer(of_maps({maps, -maps}), images, "occlusion", 9));
  EXPECT_EQ(layer.at("image"), (std::vector<int>{1, 1, 3}));
  EXPECT_EQ(layer.at("chosen"), "occlusion");
  EXPECT_EQ(layer.at("samples")[0], (nlohmann::json{{"image", "////"}, {"label", ""}, {"target", "b"}}));
  EXPECT_EQ(layer.at("methods")[0].at("maps"), (std::vector<std::string>{"gQBA", "AAAA"}));  // -127, 0, 64
  EXPECT_EQ(layer.at("methods")[0].at("largest"), (std::vector<double>{0.5, 0}));
  EXPECT_EQ(layer.at("methods")[1].at("maps")[0], "fwDA");  // 127, 0, -64
}

TEST(AttributionReport, OrdersMethodsAndNamesThoseThatARandomOrderBeats) {
  const auto measured = [](double morf) {
    return nlohmann::json{{"morf", {{"mean", morf}, {"se", 0.1}}}, {"lerf", {{"mean", 0.5}, {"se", 0.1}}}};
  };
  const nlohmann::json metrics = {
      {"images", 9},
      {"score", "logit"},
      {"methods", {{"gradient", measured(1.1)}, {"smooth_grad", measured(3)}, {"occlusion", measured(2)}}},
      {"random_order", measured(1)}};
  const report::Section section = attribution_section_of(metrics);
  std::vector<std::string> order;
  for (const auto& row : section.tables.front().rows) order.push_back(row.front());
  EXPECT_EQ(order, (std::vector<std::string>{"SmoothGrad", "occlusion", "gradient", "random order"}));
  EXPECT_TRUE(contains(section.paragraphs.back(), "Not better than a random order here: gradient."));
  EXPECT_TRUE(contains(section.tables.front().rows[0][1], "3.000 ± 0.196"));
}

/// {"methods": {name: {measure: {"mean", "se"}}}} with a small error.
nlohmann::json measured_as(std::initializer_list<std::pair<const char*, double>> means) {
  nlohmann::json own;
  for (const auto& [name, mean] : means) own[name] = {{"mean", mean}, {"se", 0.01}};
  return own;
}

TEST(AttributionVerdict, NamesTheBestOfThoseThatDependOnTheModelAndBeatChance) {
  nlohmann::json metrics = {{"random_order", measured_as({{"morf", 1}})},
                            {"edge_filter", measured_as({{"morf", 2}})},
                            {"methods",
                             {{"occlusion", measured_as({{"morf", 3},
                                                         {"lerf", 1},
                                                         {"sensitivity_n", 0.9},
                                                         {"infidelity", 0.2},
                                                         {"randomization", 0.1}})},
                              {"smooth_grad", measured_as({{"morf", 2.5},
                                                           {"lerf", 0.5},
                                                           {"sensitivity_n", 0.3},
                                                           {"infidelity", 0.9},
                                                           {"randomization", 0.2}})},
                              {"guided_backprop", measured_as({{"morf", 4},
                                                               {"lerf", 0.1},
                                                               {"sensitivity_n", 0.95},
                                                               {"infidelity", 0.1},
                                                               {"randomization", 0.95}})},
                              {"rise", measured_as({{"morf", 1.5},
                                                    {"lerf", 1},
                                                    {"sensitivity_n", 0.2},
                                                    {"infidelity", 0.9},
                                                    {"randomization", 0.1}})},
                              {"gradient", measured_as({{"morf", 1.01},
                                                        {"lerf", 1},
                                                        {"sensitivity_n", 0},
                                                        {"infidelity", 1},
                                                        {"randomization", 0.1}})}}}};
  const Verdict verdict = verdict_of(metrics);
  EXPECT_EQ(verdict.method, "occlusion");
  EXPECT_TRUE(contains(verdict.text, "Believe occlusion first"));
  EXPECT_TRUE(contains(verdict.text, "Not better than a random order here: gradient."));
  EXPECT_TRUE(contains(verdict.text, "Not better than an edge filter, which knows no classifier: RISE."));
  EXPECT_TRUE(contains(
      verdict.text,
      "Much the same with random weights, so not about what the classifier learned: guided backprop."));
  EXPECT_FALSE(contains(verdict.text, "disagree"));
  metrics["methods"]["occlusion"]["sensitivity_n"]["mean"] = 0.25;
  EXPECT_TRUE(contains(verdict_of(metrics).text,
                       "The measures disagree: by area over the MoRF curve the best is occlusion, by "
                       "Sensitivity-n SmoothGrad."));
  for (auto& [name, own] : metrics["methods"].items()) own["morf"]["mean"] = 0.9;
  EXPECT_EQ(verdict_of(metrics).method, "");
  EXPECT_TRUE(contains(verdict_of(metrics).text, "Believe none of these maps."));
}

}  // namespace
}  // namespace whence::kinds
