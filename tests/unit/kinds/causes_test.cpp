// The kind "causes": keys, a study, its figures and its section of the report.
#include "kinds/causes/causes.h"

#include "experiment/metrics.h"
#include "unit/kinds/pipeline_support.h"
#include "whence/core/random.h"
#include "whence/explain/gce/in_front.h"

namespace whence::kinds {
namespace {

using whence::test::contains;
using whence::test::usage_error_of;

/// Five latents become five pixels of an image of 1 x 8.
nn::Network pixels() {
  nn::Network network("pixels", {5});
  network.add("fc", nn::Linear{8});
  network.add("image", nn::Reshape{{1, 1, 8}});
  at::Tensor weight = at::zeros({8, 5});
  weight.narrow(0, 0, 5).copy_(at::eye(5));
  network.load_state({{"fc.weight", weight}, {"fc.bias", at::zeros({8})}});
  return network;
}

/// Whether pixel 3 is above 0.
nn::Network third_pixel() {
  nn::Network network("third", {1, 1, 8});
  network.add("flatten", nn::Flatten{});
  network.add("out", nn::Linear{2});
  at::Tensor weight = at::zeros({2, 8});
  weight[1][2] = 8;
  network.load_state({{"out.weight", weight}, {"out.bias", at::zeros({2})}});
  return network;
}

CausesOptions small_options(std::int64_t map_steps) {
  CausesOptions options;
  options.causal = 1;
  options.directions.samples = 64;
  options.map.steps = map_steps;
  options.map.draws = 600;
  options.map.held_out = 200;
  options.map.couplings = 2;
  options.drawn = 2;
  return options;
}

TEST(CausesKind, FindsThePixelThatTheClassifierReads) {
  const auto decoder = models::as_decoder(pixels());
  const auto classifier = models::as_classifier(third_pixel());
  const CausesStudy study = study_causes(*decoder, *classifier, small_options(0), 1, {});
  const nlohmann::json record = to_json(study);
  EXPECT_GT(record.at("flow").at("alpha").at("nats").get<double>(), 0.5);
  EXPECT_LT(record.at("flow").at("beta_share").get<double>(), 0.01);
  EXPECT_EQ(record.at("kept"), "directions");
  EXPECT_FALSE(record.contains("bent"));
  EXPECT_TRUE(
      contains(causes_answer(record, 2), "**1 of the 5 factors of this generator moves the classifier**"));
  EXPECT_EQ(causes_report(record, 2).tables.front().rows.size(), 1U);
  at::Tensor factors = at::zeros({1, 5});
  factors[0][0] = 1;  // alpha moves pixel 3 alone
  const at::Tensor image = gce::in_front(study.map.network(), *decoder)->decode(factors).flatten();
  EXPECT_NEAR(std::abs(image[2].item<double>()), 1, 1e-5);
  EXPECT_NEAR(image.abs().sum().item<double>(), 1, 1e-4);
}

TEST(CausesKind, WithAMapAndItsFigures) {
  const auto decoder = models::as_decoder(pixels());
  const auto classifier = models::as_classifier(third_pixel());
  const CausesOptions options = small_options(60);
  const CausesStudy study = study_causes(*decoder, *classifier, options, 1, {});
  const nlohmann::json record = to_json(study);
  ASSERT_TRUE(record.contains("bent"));
  EXPECT_EQ(record.at("kept") == "bent", record.at("bent").at("alpha").at("nats").get<double>() >
                                             record.at("directions").at("alpha").at("nats").get<double>());
  EXPECT_EQ(causes_report(record, 2).tables.front().rows.size(), 2U);
  const test::TemporaryFolder folder;
  EXPECT_EQ(draw_causes(*decoder, *classifier, study.map, options, 1, {"dark", "bright"}, folder.path()),
            (std::vector<std::string>{"causes-alpha_1"}));
  EXPECT_TRUE(std::filesystem::exists(folder / "causes-alpha_1.svg"));
}

TEST(CausesKind, FewLatentsStayStraight) {
  nn::Network two("two", {2});
  two.add("fc", nn::Linear{8});
  two.add("image", nn::Reshape{{1, 1, 8}});
  Generator generator = make_generator(1, "test");
  nn::initialise(two, {}, generator);
  const auto decoder = models::as_decoder(two);
  const auto classifier = models::as_classifier(third_pixel());
  EXPECT_FALSE(study_causes(*decoder, *classifier, small_options(10), 1, {}).bent.has_value());
}

}  // namespace
}  // namespace whence::kinds
