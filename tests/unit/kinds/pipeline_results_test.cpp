// What the stages of a run leave, by the recipe's choices: networks, metrics, the report.
#include "experiment/metrics.h"
#include "experiment/pipeline.h"
#include "unit/data/pictures_support.h"
#include "unit/experiment/support.h"
#include "unit/kinds/pipeline_support.h"
#include "unit/kinds/support.h"
#include "whence/interchange/safetensors.h"

namespace whence::kinds {
namespace {

using whence::test::contains;
using whence::test::error_of;

TEST_F(Pipeline, AnAutoencoderIsTrainedAloneBesideTheClassifier) {
  Session session(load_recipe(kinds(), recipe_,
                              {"generator.latents=3", "generator.steps=60", "generator.batch=16",
                               "generator.learning_rate=5e-3", "classifier.epochs=1"}),
                  folder_);
  Display display(DisplayStyle::silent, stderr);
  run_stages(session, {}, display);
  const nlohmann::json metrics = collect_metrics(kinds(), folder_);
  EXPECT_FALSE(metrics.contains("gce"));
  const nlohmann::json& generator = metrics.at("generator");
  EXPECT_GE(generator.at("ablation").at("reencoded").get<double>(), 0.4);
  EXPECT_GT(generator.at("linear").at("sse").get<double>(), 0);
  EXPECT_EQ(generator.at("samples").at("images"), 200);
  EXPECT_EQ(generator.at("samples").at("features"), 16);
  EXPECT_LT(generator.at("samples").at("training_images").at("frechet").at("value").get<double>(),
            generator.at("samples").at("frechet").at("value").get<double>());
  for (const char* row : {"reconstructions", "fitted_prior"})
    EXPECT_LT(generator.at("samples").at("training_images").at("frechet").at("value").get<double>(),
              generator.at("samples").at(row).at("frechet").at("value").get<double>())
        << row;
  EXPECT_EQ(*value_of(metric_named(all_metrics(kinds()), "sse"), metrics),
            generator.at("test").at("sse").get<double>());
  const std::string report = read_file(folder_ / "report.html");
  EXPECT_TRUE(contains(report, "there is no explanation"));
  EXPECT_FALSE(contains(report, "I(alpha; Y)"));
  for (const char* figure :
       {"figures/samples.png", "figures/reconstructions.png", "figures/generator-training.svg"}) {
    EXPECT_TRUE(std::filesystem::exists(folder_ / figure)) << figure;
  }
  EXPECT_FALSE(std::filesystem::exists(folder_ / "figures/information-flow.svg"));
}

/// 64 pixels and 60 latents: the principal components keep nearly everything, before any step and after a few.
TEST_F(Pipeline, AnAutoencoderThatKeepsAnswersIsJudgedByAnIndependentClassifier) {
  const std::vector<std::string> settings = {
      "generator.latents=60",       "generator.architecture=linear-path",
      "generator.width=2",          "generator.steps=4",
      "generator.batch=16",         "generator.learning_rate=1e-5",
      "generator.kl_weight=1e-4",   "generator.feature_weight=3",
      "classifier.epochs=4",        "independent.width=3",
      "morphing.images=12",         "morphing.known=100",
      "morphing.components=4",      "morphing.residual=true",
      "attribution.images=4",       "attribution.methods=[\"path_mask\"]",
      "attribution.path_end=image", "attribution.path_steps=6"};
  Session session(load_recipe(kinds(), recipe_, settings), folder_);
  Display display(DisplayStyle::silent, stderr);
  run_stages(session, {}, display);
  const nlohmann::json metrics = collect_metrics(kinds(), folder_);
  const nlohmann::json& answers = metrics.at("generator").at("answers");
  for (const char* way : {"reconstructions", "components"}) {
    EXPECT_GT(answers.at(way).at("explained").get<double>(), 0.95) << way;
    EXPECT_GT(answers.at(way).at("independent").get<double>(), 0.95) << way;
    EXPECT_LT(answers.at(way).at("sse").get<double>(), 0.05) << way;
  }
  EXPECT_GT(answers.at("shift").at("sse").get<double>(), 1);
  EXPECT_EQ(*value_of(metric_named(all_metrics(kinds()), "answers_kept"), metrics),
            answers.at("reconstructions").at("explained").get<double>());
  EXPECT_TRUE(metrics.at("morphing").at("residual").get<bool>());
  EXPECT_LT(metrics.at("morphing").at("reencoding_of_reconstructions").get<double>(), 0.05);
  const std::string report = read_file(folder_ / "report.html");
  EXPECT_TRUE(contains(report, "moved by one pixel"));
  EXPECT_TRUE(contains(report, "a weak prior"));
  EXPECT_TRUE(contains(error_of([&] { run({"generator.feature_weight=3"}); }, ExitCode::usage),
                       "generator.feature_weight is for an autoencoder"));
}

/// The same training, whitened or not: images stay, and the codes become like the prior.
TEST_F(Pipeline, AWhitenedAutoencoderMakesTheSameImages) {
  const auto trained = [&](const char* folder, const char* whiten) {
    Session session(load_recipe(kinds(), recipe_,
                                {"generator.latents=4", "generator.steps=60", "generator.learning_rate=5e-3",
                                 "generator.kl_weight=0.05", "classifier.epochs=1",
                                 fmt::format("generator.whiten={}", whiten)}),
                    RunFolder(folder_ / folder));
    Display display(DisplayStyle::silent, stderr);
    run_stages(session, {}, display);
    const at::Tensor images = data::to_float(session.data().test, 0, session.data().test.size());
    const models::Posterior posterior = session.encoder(Precision::float32)->encode(images);
    return std::pair{posterior.mean, session.decoder(Precision::float32)->decode(posterior.mean)};
  };
  const auto [codes, images] = trained("as-trained", "false");
  const auto [white, same] = trained("white", "true");
  EXPECT_TRUE(same.allclose(images, 1e-3, 1e-4));
  EXPECT_FALSE(white.allclose(codes, 0.1, 0.1));
  const auto kl = [&](const char* folder) {
    const nlohmann::json metrics = collect_metrics(kinds(), RunFolder(folder_ / folder));
    return metrics.at("generator").at("test").at("kl").get<double>();
  };
  EXPECT_LT(kl("white"), kl("as-trained"));
  EXPECT_TRUE(contains(error_of([&] { run({"generator.whiten=true"}); }, ExitCode::usage),
                       "generator.whiten is for an autoencoder"));
}

TEST_F(Pipeline, AGanIsTrainedAloneAndHasNoEncoder) {
  const std::vector<std::string> settings = {"generator.latents=3", "generator.objective=gan",
                                             "generator.steps=6",   "generator.candidate_steps=2",
                                             "generator.batch=16",  "generator.architecture=dcgan-upsampling",
                                             "generator.width=4",   "generator.discriminator_width=4",
                                             "classifier.epochs=1"};
  {
    Session session(load_recipe(kinds(), recipe_, settings), folder_);
    Display display(DisplayStyle::silent, stderr);
    run_stages(session, {}, display);
  }
  EXPECT_TRUE(std::filesystem::exists(folder_ / "decoder.safetensors"));
  EXPECT_FALSE(std::filesystem::exists(folder_ / "encoder.safetensors"));
  const nlohmann::json generator = collect_metrics(kinds(), folder_).at("generator");
  EXPECT_FALSE(generator.contains("test"));
  EXPECT_EQ(generator.at("chosen_step").get<std::int64_t>() % 2, 0);
  EXPECT_GT(generator.at("validation_distance").get<double>(), 0);
  EXPECT_TRUE(contains(read_file(folder_ / "report.html"), "is kept"));
  const nlohmann::json live =
      read_json(folder_ / "live.json");  // the page moves draws instead of test images
  EXPECT_TRUE(live.at("encoder").is_null());
  EXPECT_EQ(live.at("factors").size(), 3U);
  EXPECT_EQ(live.at("samples").at(0).at("code").size(), 3U);
  EXPECT_TRUE(contains(error_of([&] { run({"generator.objective=gan"}); }, ExitCode::usage),
                       "needs generator.latents above 0"));
}

/// An explanation's weights go first: the generator's have the same names.
TEST_F(Pipeline, AGeneratorTakesTheFolderOfAnExplanation) {
  run({}, {.first = "data", .last = "explanation", .force = false, .redo = {}});
  PipelineOptions forced;
  forced.last = "quality";
  forced.force = true;
  run({"generator.latents=3", "generator.steps=2"}, forced);
  EXPECT_TRUE(std::filesystem::exists(folder_ / "decoder.safetensors"));
  EXPECT_FALSE(read_json(folder_ / "metrics.json").contains("gce"));
}

TEST_F(Pipeline, ArchitecturesAreChosenByRecipeAndSayWhatDoesNotFit) {
  EXPECT_EQ(
      error_of([&] { run({"classifier.architecture=vgg11"}); }, ExitCode::usage),
      "VGG-11 needs images of shape channels x height x width with sides of at least 32 pixels, not 1x8x8");
  EXPECT_EQ(
      error_of([&] { run({"generator.architecture=cifar-cvae"}); }, ExitCode::usage),
      "the CIFAR CVAE needs images of shape channels x height x width with sides of 16, 24, 32, ... pixels, "
      "not 1x8x8");
  run({"classifier.architecture=resnet", "generator.architecture=cvae-bn"},
      {.first = "data", .last = "explanation", .force = true, .redo = {}});
  EXPECT_TRUE(contains(read_file(folder_ / "recipe.toml"), "architecture = \"resnet\""));
  EXPECT_EQ(Session(load_recipe(kinds(), folder_ / "recipe.toml"), folder_).classifier_network().name(),
            "resnet");
}

TEST_F(Pipeline, MetricsHaveTheKeysOfTheIssue) {
  run();
  const nlohmann::json metrics = read_json(folder_ / "metrics.json");
  for (const char* key : {"/classifier/test_accuracy",
                          "/classifier/train_seconds",
                          "/gce/train_seconds",
                          "/gce/steps",
                          "/gce/step_seconds_median",
                          "/gce/test/sse",
                          "/gce/test/kl",
                          "/gce/information_flow/samples/1",
                          "/gce/information_flow/alpha/nats",
                          "/gce/information_flow/alpha/se",
                          "/gce/information_flow/beta/nats",
                          "/gce/information_flow/beta/se",
                          "/gce/information_flow/factors/2/name",
                          "/gce/information_flow/factors/2/causal",
                          "/gce/information_flow/factors/2/nats",
                          "/gce/information_flow/factors/2/se",
                          "/gce/ablation/original",
                          "/gce/ablation/reencoded",
                          "/gce/ablation/replaced/alpha_1",
                          "/gce/ablation/replaced/beta_2",
                          "/stages/explanation/seconds",
                          "/peak_memory_bytes"}) {
    EXPECT_TRUE(metrics.contains(nlohmann::json::json_pointer(key))) << key;
  }
  EXPECT_EQ(metrics["gce"]["steps"], 4);
  EXPECT_EQ(metrics["gce"]["information_flow"]["samples"], (nlohmann::json{40, 20}));
}

TEST_F(Pipeline, CounterfactualsAndTrustLeaveTheirFindings) {
  PipelineOptions options;
  options.last = "counterfactual";
  EXPECT_EQ(
      done_by([&] { run({"counterfactual.images=40"}, options); }),
      (Names{"data", "classifier", "explanation", "evaluation", "reference", "trust", "counterfactual"}));
  const nlohmann::json metrics = read_json(folder_ / "metrics.json");
  const nlohmann::json& counterfactual = metrics.at("counterfactual");
  EXPECT_EQ(counterfactual.at("images"), 40);
  EXPECT_GE(counterfactual.at("flip_rate"), 0);
  EXPECT_TRUE(counterfactual.contains("agreement"));
  const nlohmann::json& trust = metrics.at("gce").at("trust");
  EXPECT_EQ(trust.at("reencoding").at("images"), 200);
  EXPECT_EQ(trust.at("randomization").at("randomized").size(), 5u);
  EXPECT_FALSE(trust.contains("seeds"));

  EXPECT_EQ(done_by([&] { run({"counterfactual.images=0"}, options); }), Names{});
  EXPECT_FALSE(read_json(folder_ / "metrics.json").contains("counterfactual"));
}

TEST_F(Pipeline, TrustComparesAnotherRun) {
  PipelineOptions options;
  options.last = "trust";
  const std::vector<std::string> short_ones = {"counterfactual.images=0", "trust.randomized=0"};
  run(short_ones, options);
  std::filesystem::rename(folder_.path(), temporary_ / "other");
  std::vector<std::string> compared = short_ones;
  compared.push_back("trust.other_run=" + (temporary_ / "other").string());
  run(compared, options);
  // The same recipe and seed: every factor comes back as itself.
  const nlohmann::json trust = read_json(folder_ / "metrics.json").at("gce").at("trust");
  EXPECT_EQ(trust.at("randomization").at("left_out"), "it was not requested");
  EXPECT_NEAR(trust.at("seeds").at("alpha_subspace").get<double>(), 1, 1e-6);
  for (const nlohmann::json& match : trust.at("seeds").at("beta"))
    EXPECT_EQ(match.at("factor"), match.at("other"));
  compared.back() = "trust.other_run=" + (temporary_ / "nowhere").string();
  EXPECT_TRUE(contains(error_of([&] { run(compared, options); }), "encoder.safetensors"));

  const RunFolder explained = folder_;
  folder_ = RunFolder(temporary_ / "autoencoder");
  PipelineOptions training;
  training.last = "generator";
  run({"generator.latents=3", "generator.steps=4"}, training);
  compared.back() = "trust.other_run=" + folder_.path().string();
  for (const std::filesystem::path& place : {explained.path(), temporary_ / "new"}) {
    folder_ = RunFolder(place);
    EXPECT_TRUE(contains(error_of([&] { run(compared, options); }), "is the run of a generator alone"))
        << place;
  }
  EXPECT_FALSE(std::filesystem::exists(temporary_ / "new")) << "it is told before anything is trained";
}

TEST_F(Pipeline, AnExplanationStartsFromAnotherRun) {
  PipelineOptions options;
  options.last = "explanation";
  run({"explanation.causal_weight=0"}, options);  // a plain autoencoder
  const std::filesystem::path vae = temporary_ / "vae";
  std::filesystem::rename(folder_.path(), vae);
  const std::string start = "generator.start=" + vae.string();
  // A step that hardly moves: the result is the start.
  run({start, "explanation.steps=1", "explanation.learning_rate=1e-12"}, options);
  const auto weights = [](const std::filesystem::path& folder) {
    return nn::load_safetensors(folder / "encoder.safetensors").tensors.front().tensor;
  };
  EXPECT_TRUE(at::allclose(weights(vae), weights(folder_.path()), 0, 1e-6));
  EXPECT_EQ(read_stamp(folder_, "explanation").inputs.at("content").at("start").size(), 2u);

  const std::filesystem::path moved = temporary_ / "moved";
  std::filesystem::rename(vae, moved);
  const std::vector<std::string> hardly = {"explanation.steps=1", "explanation.learning_rate=1e-12"};
  const auto with_start = [&](const std::filesystem::path& from) {
    return std::vector<std::string>{hardly[0], hardly[1], "generator.start=" + from.string()};
  };
  EXPECT_EQ(done_by([&] { run(with_start(moved), options); }), Names{});
  EXPECT_TRUE(contains(error_of([&] { run(hardly, options); }), "generator.start is "));
  std::filesystem::rename(moved, vae);

  PipelineOptions anew = options;
  anew.force = true;
  const std::string latents = error_of([&] { run({start, "explanation.noncausal=4"}, anew); });
  EXPECT_TRUE(contains(latents, "has 3 latents, but explanation.causal + explanation.noncausal is 5"));
  EXPECT_TRUE(contains(error_of([&] { run({start, "generator.width=4"}, anew); }), "do not fit"));
  EXPECT_TRUE(contains(error_of([&] { run({"generator.start=" + temporary_.path().string()}, anew); }),
                       "has no encoder.safetensors"));
}

TEST_F(Pipeline, AClassifierWithoutEpochsKeepsItsRandomWeights) {
  PipelineOptions options;
  options.last = "classifier";
  run({"classifier.epochs=0"}, options);
  const auto weights = [&] { return read_file(folder_ / "classifier.safetensors"); };
  const std::string untrained = weights();
  EXPECT_LT(read_json(folder_ / "metrics.json")["classifier"]["test_accuracy"].get<double>(), 0.8);
  folder_ = RunFolder(temporary_ / "trained");
  run({}, options);
  EXPECT_NE(weights(), untrained);
  folder_ = RunFolder(temporary_ / "same");
  run({"classifier.epochs=0", "classifier.learning_rate=1"}, options);
  EXPECT_EQ(weights(), untrained);
}

TEST_F(Pipeline, TrainsTheClassifierOnValidationImagesWhereAsked) {
  const std::filesystem::path pictures = temporary_ / "pictures";
  data::test::write_splits(pictures, 6, 3, 2);
  const auto train = [&](const std::string& validation) {
    PipelineOptions options;
    options.last = "classifier";
    run({"data.set=pictures", "data.class_names=[]", "data.path=" + pictures.string(),
         "classifier.validation=" + validation},
        options);
    return read_json(folder_ / "metrics.json")["classifier"]["train_images"];
  };
  EXPECT_EQ(train("false"), 12);
  folder_ = RunFolder(temporary_ / "all");
  EXPECT_EQ(train("true"), 18);
  EXPECT_EQ(done_by([&] { train("true"); }), Names{});
  data::test::write_png(pictures / "validation/a/0.png", data::test::random_bytes({1, 8, 8}, 99));
  EXPECT_EQ(done_by([&] { train("true"); }), Names{"classifier"});
}

}  // namespace
}  // namespace whence::kinds
