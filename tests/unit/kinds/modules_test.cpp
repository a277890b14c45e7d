// The kind "modules": keys, a run, its figures and its section of the report.
#include "kinds/modules/modules.h"

#include "experiment/metrics.h"
#include "kinds/modules/study.h"
#include "unit/kinds/pipeline_support.h"
#include "unit/modularity/generators.h"
#include "whence/models/roles.h"

namespace whence::kinds {
namespace {

using whence::test::contains;
using whence::test::error_of;
using whence::test::usage_error_of;

ModulesOptions small_options() {
  ModulesOptions options;
  options.pairs = 64;
  options.measured = 40;
  options.rank = 3;
  options.grouping.window = 1;
  options.effect.outer = options.effect.inner = 20;
  return options;
}

/// Looks at the quarter of the image that the planted channels 3 and 4 make.
nn::Network quarter_classifier() {
  nn::Network network("quarter", {1, 8, 8});
  network.add("flatten", nn::Flatten{});
  network.add("out", nn::Linear{2});
  at::Tensor weight = at::zeros({2, 1, 8, 8});
  weight[0].narrow(1, 4, 4).narrow(2, 4, 4).fill_(1);
  network.load_state({{"out.weight", (weight - weight.flip(0)).flatten(1)}, {"out.bias", at::zeros({2})}});
  return network;
}

TEST(ModulesKind, StudiesAPlantedGenerator) {
  const auto decoder = models::as_decoder(test_support::planted_generator());
  const auto classifier = models::as_classifier(quarter_classifier());
  const ModuleStudy study =
      study_modules({decoder.get(), nullptr, classifier.get(), {}}, small_options(), 1, {});
  EXPECT_EQ(study.modules.labels, (std::vector<std::int64_t>{0, 0, 0, 1, 1, 2}));
  EXPECT_FALSE(study.encoded);
  const nlohmann::json record = to_json(study);
  EXPECT_EQ(record.at("modules").at(1).at("channels"), (std::vector<int>{3, 4}));
  EXPECT_NEAR(record.at("halves").at("cosine").get<double>(), 1, 1e-6);
  EXPECT_GT(record.at("modules").at(1).at("flow").at("nats").get<double>(), 0.5);
  EXPECT_NEAR(record.at("modules").at(0).at("flow").at("nats").get<double>(), 0, 0.02);
  EXPECT_EQ(record.at("flow").at("channels").size(), 6U);
  const report::Section section = modules_report(record);
  EXPECT_TRUE(contains(section.paragraphs[1], "the channels are modular."));
  EXPECT_TRUE(contains(section.paragraphs[2], "**Module 2 moves the classifier most**"));
  EXPECT_EQ(section.tables[0].rows.size(), 3U);
  EXPECT_EQ(flow_chart(record, 2).bars.size(), 7U);
  EXPECT_EQ(stability_chart(record).panels[0].series[0].x.size(), 5U);  // ranks 2 to 6
}

/// The classifier sees every pixel: its hidden layer has 64 features, the image's.
nn::Network pixel_features() {
  nn::Network network("pixels", {1, 8, 8});
  network.add("flatten", nn::Flatten{});
  network.add("hidden", nn::Linear{64});
  network.add("out", nn::Linear{2});
  network.load_state({{"hidden.weight", at::eye(64)},
                      {"hidden.bias", at::zeros({64})},
                      {"out.weight", at::ones({2, 64})},
                      {"out.bias", at::zeros({2})}});
  return network;
}

/// Channels of the planted generator are independent, so its hybrids are its samples; a blend of pixels halves some, and images of
/// another kind are far from all.
TEST(ModulesKind, DistancesTellHybridsFromBlendsAndOtherImages) {
  const auto decoder = models::as_decoder(test_support::planted_generator());
  const auto classifier = models::as_classifier(pixel_features());
  ModulesOptions options = small_options();
  options.measured = 400;
  Generator generator = make_generator(2, "test");
  const at::Tensor others = at::rand({500, 1, 8, 8}, generator, at::kFloat) + 5;
  const ModuleStudy study = study_modules({decoder.get(), nullptr, classifier.get(), others}, options, 1, {});
  ASSERT_TRUE(study.distances.has_value());
  EXPECT_EQ(study.distances->images, 400);
  const auto of = [&](modularity::Swap swap) {
    return study.distances->swaps[static_cast<std::size_t>(swap)];
  };
  const auto& originals = study.distances->originals;
  const auto& hybrids = of(modularity::Swap::module);
  EXPECT_NEAR(hybrids.to_samples.value, originals.to_samples.value,
              3 * std::hypot(hybrids.to_samples.se, originals.to_samples.se) + 1e-6);
  EXPECT_GT(hybrids.to_real.value().value, 10 * hybrids.to_samples.value);
  const nlohmann::json record = to_json(study);
  EXPECT_TRUE(record.at("frechet").at("module").contains("to_real"));
  EXPECT_EQ(modules_report(record).tables.back().header.size(), 3U);
}

TEST(ModulesKind, PerColourModulesAreMeasuredAndDrawnInColour) {
  const auto decoder = models::as_decoder(test_support::coloured_generator());
  ModulesOptions options = small_options();
  options.influence.per_colour = true;
  const ModuleStudy study = study_modules({decoder.get(), nullptr, nullptr, {}}, options, 1, {});
  EXPECT_EQ(study.modules.labels, (std::vector<std::int64_t>{0, 0, 0, 1, 1, 2}));
  for (const auto& swaps : study.measured.of_modules)
    EXPECT_NEAR(swaps[static_cast<std::size_t>(modularity::Swap::module)].inside.mean, 1, 1e-6);
  const report::ImageGrid maps = maps_figure(study.modules);
  ASSERT_EQ(maps.images.sizes(), at::IntArrayRef({3, 4, 3, 8, 8}));
  EXPECT_TRUE(contains(maps.column_axis, "each colour"));
  EXPECT_EQ(maps.images[1][0][1].sum().item<float>(), 32);  // the template of green
  EXPECT_EQ(maps.images[1][0][0].sum().item<float>(), 0);
}

TEST(ModulesKind, FiguresShowTemplatesMapsAndHybrids) {
  const auto decoder = models::as_decoder(test_support::planted_generator());
  const ModuleStudy study = study_modules({decoder.get(), nullptr, nullptr, {}}, small_options(), 1, {});
  for (const char* name : {"flow", "frechet"}) EXPECT_FALSE(to_json(study).contains(name));
  test::TemporaryFolder folder;
  save_modules(study.modules, folder / "modules.safetensors");
  const modularity::Modules modules = load_modules(folder / "modules.safetensors");
  EXPECT_EQ(modules.labels, study.modules.labels);
  const report::ImageGrid maps = maps_figure(modules);
  EXPECT_EQ(maps.images.sizes(), at::IntArrayRef({3, 4, 1, 8, 8}));  // a template and three maps
  EXPECT_EQ(maps.images[1][0].sum().item<float>(), 16);
  const modularity::Cut cut(*decoder);
  Generator generator = make_generator(1, "test");
  const modularity::Pairs pairs = modularity::draw_pairs(modularity::from_prior(6), 5, generator);
  const report::ImageGrid hybrids = hybrids_figure(cut, modules, pairs, nullptr, {});
  ASSERT_EQ(hybrids.images.sizes(), at::IntArrayRef({5, 5, 1, 8, 8}));
  const at::Tensor in =
      hybrids.images[3].narrow(2, 4, 4).narrow(3, 4, 4);  // module 2 is the lower right quarter
  EXPECT_TRUE(at::equal(in, hybrids.images[1].narrow(2, 4, 4).narrow(3, 4, 4)));
  EXPECT_TRUE(at::equal(hybrids.images[3].narrow(2, 0, 4), hybrids.images[0].narrow(2, 0, 4)));
  const auto classifier = models::as_classifier(quarter_classifier());
  const report::ImageGrid scaled =
      scaled_figure(cut, modules, pairs.first, classifier.get(), {"dark", "bright"});
  EXPECT_EQ(scaled.images.size(0), 3);
  EXPECT_TRUE(at::equal(scaled.classes[0], scaled.classes[2]));  // neither is in the classifier's quarter
}

/// An encoder must belong to the decoder.
TEST(ModulesKind, RefusesAnEncoderOfAnotherSize) {
  const auto decoder = models::as_decoder(test_support::planted_generator());
  const auto encoder_of = [](const nn::Shape& image, std::int64_t latents) {
    nn::Network network("encoder", image);
    network.add("flatten", nn::Flatten{});
    network.add("mean", nn::Linear{latents});
    network.add("log_variance", nn::Linear{latents}, {"flatten"});
    network.set_outputs({"mean", "log_variance"});
    return models::as_encoder(network);
  };
  const auto error = [&](const models::Encoder& encoder, const at::Tensor& images) {
    return error_of([&] {
      study_modules({decoder.get(), &encoder, nullptr, images}, small_options(), 1, {});
    });
  };
  EXPECT_TRUE(
      contains(error(*encoder_of({1, 8, 8}, 5), at::zeros({9, 1, 8, 8})), "has 5 latents and the decoder 6"));
  EXPECT_TRUE(contains(error(*encoder_of({1, 9, 9}, 6), at::zeros({9, 1, 9, 9})), "images of 1x8x8"));
  ModulesOptions many = small_options();
  many.rank = 7;
  EXPECT_TRUE(contains(usage_error_of([&] {
                         study_modules({decoder.get(), nullptr, nullptr, {}}, many, 1, {});
                       }),
                       "7 modules were asked of 6 channels"));
}

TEST_F(Pipeline, ModulesAreFoundWhereARecipeAsksForPairs) {
  const std::vector<std::string> settings = {
      "modules.pairs=32",    "modules.measured_pairs=20", "modules.flow_samples=[8, 8]",
      "modules.divisions=2", "modules.largest_rank=3",    "modules.random_sets=2"};
  PipelineOptions options;
  options.last = "modules";
  run({}, options);
  EXPECT_EQ(done_by([&] { run(settings, options); }), Names{"modules"});
  EXPECT_EQ(done_by([&] { run(settings, options); }), Names{});
  const nlohmann::json metrics = collect_metrics(kinds(), folder_);
  const nlohmann::json& study = metrics.at("modules");
  EXPECT_EQ(study.at("layer"), "conv1");
  EXPECT_EQ(study.at("channels"), 8);
  EXPECT_EQ(study.at("originals"), "images");
  std::size_t channels = study.at("silent").size();
  for (const nlohmann::json& module : study.at("modules")) channels += module.at("channels").size();
  EXPECT_EQ(channels, 8U);
  for (const Metric& metric : all_metrics(kinds()))
    if (metric.name.starts_with("module") || metric.name == "template_cosine") {
      EXPECT_TRUE(value_of(metric, metrics).has_value()) << metric.name;
    }
  EXPECT_TRUE(std::filesystem::exists(folder_ / "modules.safetensors"));
}

TEST(ModulesKind, BadRecipes) {
  const auto error = [](const std::string& setting) {
    return usage_error_of([&] {
      parse_recipe(kinds(), whence::test_support::kLeast, "least.toml", {"modules.pairs=64", setting});
    });
  };
  EXPECT_TRUE(contains(error("modules.pairs=1"), "modules.pairs is 1, but must be at least 16"));
  EXPECT_TRUE(contains(error("modules.window=4"), "modules.window is 4, but must be odd"));
  EXPECT_TRUE(contains(error("modules.influence=\"varience\""), "variance"));
}

}  // namespace
}  // namespace whence::kinds
