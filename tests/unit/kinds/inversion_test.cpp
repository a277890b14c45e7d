// A generator without an encoder gets one: keys, stages, what then works, and what is refused.
#include "experiment/metrics.h"
#include "kinds/generator/generator.h"
#include "kinds/morphing/morphing.h"
#include "unit/kinds/pipeline_support.h"
#include "whence/explain/attribution/path_mask.h"
#include "whence/interchange/safetensors.h"
#include "whence/interchange/torchscript.h"

namespace whence::kinds {
namespace {

using whence::test::contains;
using whence::test::error_of;
using whence::test::usage_error_of;

const std::vector<std::string> kGan = {"generator.latents=3", "generator.objective=gan",
                                       "generator.steps=6",   "generator.candidate_steps=2",
                                       "generator.batch=16",  "generator.architecture=dcgan-upsampling",
                                       "generator.width=4",   "generator.discriminator_width=4",
                                       "classifier.epochs=1"};

std::vector<std::string> with(std::vector<std::string> settings, const std::vector<std::string>& more) {
  settings.insert(settings.end(), more.begin(), more.end());
  return settings;
}

TEST(InverseKeys, AreForAGeneratorWithoutAnEncoder) {
  const auto recipe = [](const std::vector<std::string>& settings) {
    return parse_recipe(kinds(), whence::test_support::kLeast, "least.toml", settings);
  };
  const auto asks = [&](const std::vector<std::string>& settings) {
    return has_encoder(recipe(with({"generator.latents=8"}, settings)).values);
  };
  EXPECT_TRUE(asks({}));
  EXPECT_FALSE(asks({"generator.objective=gan"}));
  EXPECT_FALSE(asks({"generator.file=decoder.pt2"}));
  EXPECT_TRUE(asks({"generator.objective=gan", "generator.encoder_steps=5"}));
  EXPECT_TRUE(asks({"generator.file=decoder.pt2", "generator.encoder_steps=5"}));
  EXPECT_FALSE(keeps_answers(
      recipe({"generator.latents=8", "generator.objective=gan", "generator.encoder_steps=5"}).values));
  const std::string of_its_own = "an autoencoder has an encoder of its own";
  EXPECT_TRUE(contains(usage_error_of([&] { asks({"generator.encoder_steps=5"}); }), of_its_own));
  EXPECT_TRUE(contains(usage_error_of([&] { recipe({"generator.encoder_steps=5"}); }), of_its_own));
  EXPECT_TRUE(
      contains(usage_error_of([&] {
                 asks({"generator.objective=gan", "generator.encoder_steps=5", "generator.whiten=true"});
               }),
               "generator.whiten is for an autoencoder"));
  // What asks for an encoder names the key.
  for (const char* asked : {"morphing.images=5", "attribution.methods=[\"path_mask\"]"})
    EXPECT_TRUE(contains(usage_error_of([&] {
                           asks({"generator.objective=gan", asked});
                         }),
                         "generator.encoder_steps"))
        << asked;
  const Recipe morphs = recipe({"morphing.refinement=30"});
  EXPECT_EQ(morphs.get<MorphingOptions>().search.refinement, 30);
}

TEST_F(Pipeline, AGanWithAnEncoderMorphs) {
  const std::vector<std::string> settings =
      with(kGan, {"generator.encoder_steps=40", "generator.encoder_batch=16", "morphing.images=8",
                  "morphing.known=100", "morphing.components=4", "morphing.refinement=5",
                  "morphing.entropy_pairs=0", "attribution.images=4", "attribution.methods=[\"path_mask\"]",
                  "attribution.path_steps=6"});
  {
    Session session(load_recipe(kinds(), recipe_, settings), folder_);
    Display display(DisplayStyle::silent, stderr);
    run_stages(session, {}, display);
    EXPECT_EQ(session.encoder(Precision::float32)->latents(), 3);
  }
  EXPECT_TRUE(std::filesystem::exists(folder_ / "encoder.safetensors"));
  const nlohmann::json metrics = collect_metrics(kinds(), folder_), generator = metrics.at("generator");
  EXPECT_EQ(generator.at("steps"), 6);
  EXPECT_EQ(generator.at("encoder").at("steps"), 40);
  EXPECT_GT(generator.at("test").at("sse").get<double>(), 0);
  EXPECT_TRUE(generator.at("ablation").contains("reencoded"));
  EXPECT_TRUE(generator.at("samples").contains("reconstructions"));
  EXPECT_GT(*value_of(metric_named(all_metrics(kinds()), "encoder_seconds"), metrics), 0);
  EXPECT_EQ(metrics.at("morphing").at("cases"), 8);
  EXPECT_TRUE(metrics.at("attribution").at("methods").contains("path_mask"));
  const std::string report = read_file(folder_ / "report.html");
  for (const char* part : {"The encoder was trained afterwards", "40 steps", "the sleep phase"})
    EXPECT_TRUE(contains(report, part)) << part;
  for (const char* figure : {"reconstructions.png", "encoder-training.svg", "morphs.svg"})
    EXPECT_TRUE(std::filesystem::exists(folder_ / "figures" / figure)) << figure;
  EXPECT_FALSE(read_json(folder_ / "live.json").at("encoder").is_null());
}

/// The generator stays when its encoder is trained again, and what needs codes follows.
TEST_F(Pipeline, TheEncoderIsAStageOfItsOwn) {
  const auto generator_with = [&](const char* steps) {
    return with(kGan, {fmt::format("generator.encoder_steps={}", steps), "generator.encoder_batch=16"});
  };
  PipelineOptions options;
  options.last = "quality";
  EXPECT_EQ(done_by([&] { run(generator_with("5"), options); }),
            (Names{"data", "classifier", "generator", "encoder", "quality"}));
  const std::string decoder = read_file(folder_ / "decoder.safetensors");
  EXPECT_EQ(done_by([&] { run(generator_with("5"), options); }), Names{});
  EXPECT_TRUE(contains(error_of([&] { run(generator_with("6"), options); }),
                       "generator.encoder_steps is 5 there and 6 here"));
  PipelineOptions forced = options;
  forced.force = true;
  EXPECT_EQ(done_by([&] { run(generator_with("6"), forced); }), (Names{"encoder", "quality"}));
  EXPECT_EQ(read_file(folder_ / "decoder.safetensors"), decoder);
  run(generator_with("0"), forced);
  EXPECT_FALSE(std::filesystem::exists(folder_ / "encoder.safetensors"));
  EXPECT_FALSE(collect_metrics(kinds(), folder_).at("generator").contains("test"));
  EXPECT_EQ(read_file(folder_ / "decoder.safetensors"), decoder);
}

TEST_F(Pipeline, ADecoderFromAFileGetsAnEncoder) {
  nn::Network decoder = models::dcgan_decoder({.image = {1, 8, 8}, .latents = 3, .width = 4});
  Generator weights = make_generator(3, "test/decoder");
  nn::initialise(decoder, {.convolution_deviation = 0.2}, weights);
  const std::filesystem::path file = temporary_ / "decoder.pt";
  nn::export_torchscript(decoder, file);
  PipelineOptions options;
  options.last = "quality";
  const std::vector<std::string> own = {"generator.latents=3", "generator.file=" + file.string()};
  run(with(own, {"generator.encoder_steps=5"}), options);
  EXPECT_FALSE(std::filesystem::exists(folder_ / "decoder.safetensors"));
  EXPECT_TRUE(collect_metrics(kinds(), folder_).at("generator").contains("test"));
  // The encoder's architecture is told before anything is trained.
  EXPECT_TRUE(contains(usage_error_of([&] {
                         run(with(own, {"generator.encoder_steps=6", "generator.architecture=cifar-cvae"}),
                             {.first = "data", .last = "quality", .force = true, .redo = {}});
                       }),
                       "the CIFAR CVAE needs images"));
}

}  // namespace
}  // namespace whence::kinds
