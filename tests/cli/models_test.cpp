// Looking at a run, and at model files that came from somewhere else.
#include "cli/program.h"
#include "unit/data/pictures_support.h"
#include "whence/explain/attribution/method.h"
#include "whence/interchange/safetensors.h"

namespace whence {
namespace {

using test::contains;
using test_support::is_error;
using test_support::Workplace;

/// One run of squares, shared by the checks of a test.
class Models : public ::testing::Test {
 protected:
  Models() {
    test_support::write_squares_recipe(workplace_.path());
    workplace_.must_run({"run", "recipe-of-squares.toml", "--out", "run", "--quiet"});
    metrics_ = read_json(workplace_ / "run/metrics.json");
  }

  nlohmann::json json(const std::vector<std::string>& arguments) const {
    return nlohmann::json::parse(workplace_.must_run(arguments).out);
  }

  Workplace workplace_;
  nlohmann::json metrics_;
  const std::vector<std::string> files_ = {"--classifier", "run/torchscript/classifier.pt",
                                           "--decoder",    "run/torchscript/decoder.pt",
                                           "--latents",    "3",
                                           "--causal",     "1"};
};

std::vector<std::string> operator+(std::vector<std::string> a, const std::vector<std::string>& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

TEST_F(Models, CommandsOnARunFolderRepeatItsMetrics) {
  nlohmann::json flow = metrics_["gce"]["information_flow"];
  flow.erase("most_possible");
  EXPECT_EQ(json({"flow", "run", "--samples", "40x20", "--json"}), flow);
  EXPECT_EQ(json({"ablate", "run", "--json"}), metrics_["gce"]["ablation"]);
  EXPECT_EQ(json({"ablate", "run", "--count", "7", "--json"})["samples"], 7);

  const auto table = workplace_.must_run({"flow", "run", "--samples", "40x20"});
  EXPECT_TRUE(contains(table.out, fmt::format("{:.4f}", flow["alpha"]["nats"].get<double>())));
  const auto sweep = workplace_.must_run(
      {"sweep", "run", "--factor", "alpha_1", "--steps", "4", "--rows", "2", "--out", "figures"});
  EXPECT_EQ(sweep.out, "figures/sweep-alpha_1.png\nfigures/sweep-alpha_1.svg\n");
  EXPECT_TRUE(
      is_error(workplace_.run({"sweep", "run", "--factor", "alpha_2"}), 2, "there is no factor 'alpha_2'"));
  EXPECT_EQ(workplace_.must_run({"curves", "run", "run/../run", "--out", "figures/both"}).out,
            "figures/both.png\nfigures/both.svg\n");
  EXPECT_TRUE(is_error(workplace_.run({"curves", "run", "figures"}), 1, "figures is not a run folder"));
}

TEST_F(Models, CounterfactualsOfARunAndOfFiles) {
  nlohmann::json all = json({"counterfactual", "run", "--count", "500", "--json"});
  ASSERT_EQ(all["results"].size(), 200u);
  EXPECT_EQ(all["flip_rate"], metrics_["counterfactual"]["flip_rate"]);
  EXPECT_EQ(metrics_["counterfactual"]["images"], 200);

  const nlohmann::json some =
      json({"counterfactual", "run", "--images", "3,17", "--out", "figures", "--json"});
  ASSERT_EQ(some["results"].size(), 2u);
  EXPECT_EQ(some["results"][1]["image"], 17);
  EXPECT_TRUE(std::filesystem::exists(workplace_ / "figures/counterfactuals.svg"));
  const nlohmann::json right = json({"counterfactual", "run", "--to", "right", "--json"});
  for (const nlohmann::json& result : right["results"]) {
    if (result["found"]) {
      EXPECT_EQ(result["to"], "right");
    }
  }

  workplace_.must_run({"export", "run"});
  const nlohmann::json files =
      json(std::vector<std::string>{"counterfactual"} + files_ +
           std::vector<std::string>{"--encoder", "run/torchscript/encoder.pt", "--data", "squares",
                                    "--images", "3,17", "--json"});
  EXPECT_EQ(files["results"][0]["found"], some["results"][0]["found"]);
  EXPECT_NEAR(files["results"][0].value("distance", 0.0), some["results"][0].value("distance", 0.0), 2e-2);
  EXPECT_TRUE(contains(workplace_.must_run({"counterfactual", "run"}).out, "counterfactual found"));
  EXPECT_TRUE(is_error(workplace_.run({"counterfactual", "run", "--to", "rihgt"}), 2, "right"));
  EXPECT_TRUE(is_error(workplace_.run({"counterfactual", "run", "--images", "200"}), 2, "no test image 200"));
}

/// Of any size and colours; the data set is not needed.
TEST_F(Models, APictureOfOnesOwnIsAskedAbout) {
  const data::Dataset test =
      data::load_idx_pair(workplace_ / "squares/t10k-images-idx3-ubyte",
                          workplace_ / "squares/t10k-labels-idx1-ubyte", {"left", "right"});
  const nlohmann::json known = json({"counterfactual", "run", "--images", "3", "--json"})["results"][0];
  data::test::write_png(workplace_ / "mine.png", test.images[3].expand({3, 8, 8}));
  data::test::write_png(workplace_ / "large.png",
                        test.images[3].repeat_interleave(3, 1).repeat_interleave(3, 2));
  std::filesystem::remove_all(workplace_ / "squares");
  const nlohmann::json asked = json({"counterfactual", "--picture", "mine.png", "--picture", "large.png",
                                     "run", "--out", "figures", "--json"})["results"];
  ASSERT_EQ(asked.size(), 2u);
  EXPECT_EQ(asked[0]["picture"], "mine.png");
  for (const nlohmann::json& each : asked) ASSERT_EQ(each["found"], known["found"]);
  EXPECT_NEAR(asked[0].value("distance", 0.0), known.value("distance", 0.0), 1e-3);
  EXPECT_NEAR(asked[1].value("distance", 0.0), known.value("distance", 0.0), 0.5) << "its edges are softened";
  workplace_.must_run({"export", "run"});
  const nlohmann::json files = json(
      std::vector<std::string>{"counterfactual"} + files_ +
      std::vector<std::string>{"--encoder", "run/torchscript/encoder.pt", "--picture", "mine.png", "--json"});
  EXPECT_EQ(files["results"][0]["found"], known["found"]);
  workplace_.must_run({"sweep", "run", "--picture", "mine.png", "--factor", "alpha_1", "--out", "figures"});
  EXPECT_TRUE(std::filesystem::exists(workplace_ / "figures/sweep-alpha_1.svg"));
  EXPECT_TRUE(
      is_error(workplace_.run({"sweep", "run", "--picture", "run/recipe.toml"}), 1, "neither PNG nor JPEG"));
  EXPECT_TRUE(is_error(workplace_.run({"counterfactual", "run", "--picture", "mine.png", "--images", "3"}), 2,
                       "--images or --picture"));
}

TEST_F(Models, MorphsOfARunAndOfFiles) {
  const std::vector<std::string> small = {"--known", "300", "--components", "4", "--json"};
  const nlohmann::json run =
      json(std::vector<std::string>{"morph", "run", "--images", "3,17", "--out", "figures"} + small);
  ASSERT_EQ(run["results"].size(), 2u);
  EXPECT_EQ(run["results"][1]["image"], "image 17");
  for (const nlohmann::json& each : run["results"]) EXPECT_NE(each["from"], each["to"]);
  for (const char* way : {"morph", "counterfactual", "adversarial_l2", "adversarial_linf"})
    EXPECT_TRUE(run["ways"].contains(way)) << way;
  EXPECT_TRUE(run["path_entropy"]["r"].contains("path"));
  for (const char* figure : {"morphs.svg", "morphs-and-controls.png", "path-entropy.svg"})
    EXPECT_TRUE(std::filesystem::exists(workplace_ / "figures" / figure)) << figure;
  EXPECT_EQ(nn::load_safetensors(workplace_ / "figures/morphs.safetensors").tensors.size(), 7U);
  const auto table = workplace_.must_run({"morph", "run", "--count", "20", "--no-controls"});
  EXPECT_TRUE(contains(table.out, "semantic morph"));
  EXPECT_TRUE(contains(table.out, "Pearson's r of entropy and gradient on 100 paths"));
  EXPECT_FALSE(json(std::vector<std::string>{"morph", "run", "--images", "3", "--entropy-pairs", "0"} + small)
                   .contains("path_entropy"));

  const std::string own = run["results"][0]["from"];
  EXPECT_TRUE(is_error(workplace_.run({"morph", "run", "--images", "3", "--target", own}), 2, "already"));
  EXPECT_TRUE(is_error(workplace_.run({"morph", "run", "--target", "rihgt"}), 2, "did you mean 'right'?"));
  EXPECT_TRUE(
      is_error(workplace_.run({"morph", "--classifier", "x.pt", "--data", "squares"}), 2, "--encoder"));

  workplace_.must_run({"export", "run"});
  const std::vector<std::string> networks = {"--classifier", "run/torchscript/classifier.pt",
                                             "--encoder",    "run/torchscript/encoder.pt",
                                             "--decoder",    "run/torchscript/decoder.pt"};
  const nlohmann::json files = json(std::vector<std::string>{"morph"} + networks +
                                    std::vector<std::string>{"--independent", "run/torchscript/classifier.pt",
                                                             "--data", "squares", "--images", "3,17"} +
                                    small);
  EXPECT_EQ(files["results"][0]["ending"], run["results"][0]["ending"]);
  EXPECT_EQ(files["ways"]["morph"]["transfer"], 1.0);  // to itself
  EXPECT_TRUE(is_error(workplace_.run({"attribute", "--classifier", "run/torchscript/classifier.pt", "--data",
                                       "squares", "--method", "path_mask"}),
                       2, "needs a generator"));
  const nlohmann::json mask =
      json(std::vector<std::string>{"attribute"} + networks +
           std::vector<std::string>{"--data", "squares", "--images", "3", "--method", "path_mask", "--json"});
  EXPECT_TRUE(mask["methods"]["path_mask"].contains("approximation_error"));

  const data::Dataset test =
      data::load_idx_pair(workplace_ / "squares/t10k-images-idx3-ubyte",
                          workplace_ / "squares/t10k-labels-idx1-ubyte", {"left", "right"});
  data::test::write_png(workplace_ / "mine.png", test.images[3]);
  const nlohmann::json picture =
      json(std::vector<std::string>{"morph"} + networks +
           std::vector<std::string>{"--picture", "mine.png", "--input", "1x8x8", "--json"});
  ASSERT_EQ(picture["results"].size(), 1u);
  EXPECT_EQ(picture["results"][0]["image"], "mine.png");
}

/// With the recipe's morphs as flags: the same training images are known, learned from and drawn as references.
TEST_F(Models, MapsOfTheVerbAreThoseOfTheRecipe) {
  workplace_.must_run(
      {"run", "run", "--quiet", "--set", "attribution.methods=[\"path_mask\",\"expected_gradients\"]",
       "--set", "attribution.images=12", "--set", "morphing.start=0.9", "--set", "morphing.known=300"});
  const nlohmann::json stage =
      nlohmann::json::parse(read_file(workplace_ / "run/metrics.json")).at("attribution").at("methods");
  const std::vector<std::string> verb = {"attribute",     "run",       "--count",  "12",
                                         "--method",      "path_mask", "--method", "expected_gradients",
                                         "--morph-known", "300",       "--json"};
  const nlohmann::json same = json(verb + std::vector<std::string>{"--morph-start", "0.9"}).at("methods");
  for (const char* method : {"path_mask", "expected_gradients"})
    EXPECT_NEAR(same[method]["morf"]["mean"].get<double>(), stage[method]["morf"]["mean"].get<double>(), 1e-6)
        << method;
  const auto error = [](const nlohmann::json& methods) {
    return methods.at("path_mask").at("approximation_error").get<double>();
  };
  EXPECT_NEAR(error(same), error(stage), 1e-6);
  EXPECT_NE(error(json(verb + std::vector<std::string>{"--morph-start", "0.1"}).at("methods")), error(stage));
}

TEST_F(Models, AMorphNeedsAnEncoder) {
  workplace_.must_run({"train", "recipe-of-squares.toml", "--out", "gan", "--quiet", "--set",
                       "generator.latents=3", "--set", "generator.objective=gan", "--set",
                       "generator.architecture=dcgan-upsampling", "--set", "generator.steps=4", "--set",
                       "generator.candidate_steps=0", "--set", "generator.batch=16"});
  EXPECT_TRUE(is_error(workplace_.run({"morph", "gan"}), 1, "gan has no encoder"));
  EXPECT_TRUE(is_error(
      workplace_.run({"run", "recipe-of-squares.toml", "--out", "new", "--set", "generator.latents=3",
                      "--set", "generator.objective=gan", "--set", "morphing.images=5"}),
      2, "the generator has no encoder"));
  EXPECT_FALSE(std::filesystem::exists(workplace_ / "new"));
}

TEST_F(Models, AGeneratorWithATrainedEncoderIsAskedLikeAnAutoencoder) {
  workplace_.must_run({"train",
                       "recipe-of-squares.toml",
                       "--out",
                       "gan",
                       "--quiet",
                       "--set",
                       "generator.latents=3",
                       "--set",
                       "generator.objective=gan",
                       "--set",
                       "generator.architecture=dcgan-upsampling",
                       "--set",
                       "generator.steps=60",
                       "--set",
                       "generator.average=0",
                       "--set",
                       "generator.candidate_steps=0",
                       "--set",
                       "generator.batch=16",
                       "--set",
                       "generator.encoder_steps=20"});
  EXPECT_TRUE(std::filesystem::exists(workplace_ / "gan/encoder.safetensors"));
  const std::vector<std::string> asked = {"gan", "--images", "3,17", "--json"};
  const auto error_of = [&](const std::vector<std::string>& more) {
    const nlohmann::json found =
        json(std::vector<std::string>{"attribute", "--method", "path_mask"} + asked + more);
    return found["methods"]["path_mask"]["approximation_error"].get<double>();
  };
  EXPECT_NE(error_of({"--morph-refinement", "30"}), error_of({}));
  const nlohmann::json morphs =
      json(std::vector<std::string>{"morph", "--refinement", "30", "--no-controls"} + asked);
  EXPECT_EQ(morphs["results"].size(), 2U);
  workplace_.must_run({"export", "gan"});
  EXPECT_TRUE(std::filesystem::exists(workplace_ / "gan/torchscript/encoder.pt"));
}

TEST_F(Models, AttributionsOfARunAndOfFiles) {
  const std::vector<std::string> quickly = {"--mask-perturbation-iterations",
                                            "4",
                                            "--extremal-perturbation-iterations",
                                            "4",
                                            "--embedding-steps",
                                            "4"};
  const nlohmann::json run =
      json(std::vector<std::string>{"attribute", "run", "--images", "3,17", "--out", "figures", "--json"} +
           quickly);
  EXPECT_EQ(run["images"].size(), 2u);
  EXPECT_EQ(run["images"][1]["image"], "image 17");
  EXPECT_EQ(run["methods"].size(), attribution::methods().size());  // the classifier's layers are known
  EXPECT_FALSE(run.contains("skipped"));
  const double size = std::max(std::abs(run["images"][0]["score"].get<double>()), 1.0);
  EXPECT_LT(run["methods"]["integrated_gradients"]["completeness_error"].get<double>(), 0.2 * size);
  EXPECT_TRUE(std::filesystem::exists(workplace_ / "figures/attributions.png"));
  const nn::SafetensorsFile file = nn::load_safetensors(workplace_ / "figures/attributions.safetensors");
  ASSERT_EQ(file.tensors.size(), attribution::methods().size() + 2);  // the images, the classes
  for (const auto& [name, tensor] : file.tensors) EXPECT_EQ(tensor.size(0), 2) << name;

  workplace_.must_run({"export", "run"});
  const nlohmann::json files =
      json({"attribute", "--classifier", "run/torchscript/classifier.pt", "--data", "squares", "--images",
            "3,17", "--method", "gradient", "--method", "integrated_gradients", "--json"});
  for (const char* method : {"gradient", "integrated_gradients"})
    EXPECT_NEAR(files["methods"][method]["morf"]["mean"].get<double>(),
                run["methods"][method]["morf"]["mean"].get<double>(), 1e-3);

  const data::Dataset test =
      data::load_idx_pair(workplace_ / "squares/t10k-images-idx3-ubyte",
                          workplace_ / "squares/t10k-labels-idx1-ubyte", {"left", "right"});
  data::test::write_png(workplace_ / "mine.png", test.images[3]);
  const nlohmann::json picture =
      json({"attribute", "--classifier", "run/torchscript/classifier.pt", "--picture", "mine.png", "--input",
            "1x8x8", "--method", "gradient", "--target", "1", "--json"});
  EXPECT_EQ(picture["images"][0]["target"], "1");
  EXPECT_EQ(picture["methods"].size(), 1u);
  EXPECT_TRUE(picture.contains("random_order"));
  const nlohmann::json named =  // hyphens stand for underscores; options of methods are flags
      json({"attribute", "run", "--images", "3", "--method", "integrated-gradients", "--method", "occlusion",
            "--occlusion-window", "3", "--integrated-gradients-steps", "5", "--json"});
  EXPECT_EQ(named["methods"].size(), 2u);
  EXPECT_TRUE(named["methods"].contains("integrated_gradients"));
  // Without data there are no references, so a method that needs them is left out, or an error where it is named.
  const std::vector<std::string> of_picture = {"attribute", "--classifier", "run/torchscript/classifier.pt",
                                               "--picture", "mine.png",     "--input",
                                               "1x8x8"};
  const auto all = workplace_.must_run(of_picture + quickly);
  EXPECT_TRUE(contains(all.out, "expected_gradients is left out"));
  std::vector<std::string> expected = of_picture;
  expected.insert(expected.end(), {"--method", "expected_gradients"});
  EXPECT_TRUE(is_error(workplace_.run(expected), 2, "references"));
  EXPECT_TRUE(contains(
      workplace_.must_run({"attribute", "run", "--method", "gradient", "--score", "probability"}).out,
      "random order"));

  EXPECT_TRUE(is_error(workplace_.run({"attribute", "run", "--method", "smoothgrad"}), 2,
                       "did you mean 'smooth_grad'?"));
  EXPECT_TRUE(
      is_error(workplace_.run({"attribute", "run", "--occlusion-window", "5000"}), 2, "at most 4096"));
  EXPECT_TRUE(
      is_error(workplace_.run({"attribute", "run", "--method", "grad_cam", "--grad-cam-layer", "conv"}), 2,
               "there is no layer \"conv\""));
  EXPECT_TRUE(is_error(workplace_.run({"attribute"}), 2, "give either a run folder or --classifier"));
  EXPECT_TRUE(
      is_error(workplace_.run({"attribute", "--classifier", "x.pt"}), 2, "give either --data or --picture"));
  EXPECT_TRUE(
      is_error(workplace_.run({"attribute", "--classifier", "x.pt", "--picture", "mine.png"}), 1, "x.pt"));
  EXPECT_TRUE(
      is_error(workplace_.run({"attribute", "--classifier", "x.pt", "--picture", "mine.png", "--input", "8"}),
               2, "such as 1x28x28"));
  EXPECT_TRUE(is_error(workplace_.run({"attribute", "run", "--method", "lrp"}), 2,
                       "there is no attribution method 'lrp'"));
  for (const std::string name : {"a", "b", "c"})
    for (int i = 0; i < 4; ++i)
      data::test::write_png(workplace_ / fmt::format("three/{}/{}.png", name, i),
                            data::test::random_bytes({1, 8, 8}, static_cast<std::uint64_t>(i) * 10 +
                                                                    static_cast<unsigned char>(name[0])));
  EXPECT_TRUE(is_error(
      workplace_.run({"attribute", "--classifier", "run/torchscript/classifier.pt", "--data", "three"}), 2,
      "the classifier has 2 classes, but --data and --classes name 3"));
  EXPECT_TRUE(
      is_error(workplace_.run({"attribute", "run", "--target", "rihgt"}), 2, "did you mean 'right'?"));
}

TEST_F(Models, VisualizesARunAndFiles) {
  const nlohmann::json run =
      json({"visualize", "run", "--objectives", "logit,channel", "--parametrizations", "fourier,maco,prior",
            "--steps", "4", "--units", "2", "--references", "50", "--out", "figures", "--json"});
  EXPECT_EQ(run["references"], 50);
  ASSERT_EQ(run["pages"].size(), 2u);
  EXPECT_EQ(run["pages"]["logit"]["order"].size(), 4u);
  EXPECT_TRUE(std::filesystem::exists(workplace_ / "figures/visualization-logit.svg"));
  EXPECT_TRUE(std::filesystem::exists(workplace_ / "figures/visualizations.safetensors"));

  workplace_.must_run({"export", "run"});
  const std::vector<std::string> files = {"visualize", "--classifier", "run/torchscript/classifier.pt",
                                          "--data",    "squares",      "--steps",
                                          "4",         "--references", "50"};
  const auto of_files = [&](const std::vector<std::string>& more) { return files + more; };
  const nlohmann::json one = json(of_files({"--target", "1", "--decoder", "run/torchscript/decoder.pt",
                                            "--latents", "3", "--parametrizations", "prior", "--json"}));
  EXPECT_EQ(one["pages"]["logit"]["units"].size(), 1u);
  EXPECT_TRUE(contains(workplace_.must_run(of_files({})).out, "distance"));
  EXPECT_TRUE(
      is_error(workplace_.run(of_files({"--parametrizations", "prior"})), 2, "give --decoder and --latents"));
  EXPECT_TRUE(is_error(workplace_.run(of_files({"--objectives", "channel", "--layers", "conv"})), 1,
                       "there is no layer \"conv\""));
  EXPECT_TRUE(
      is_error(workplace_.run(of_files({"--objectives", "channel", "--unit", "4000"})), 2, "numbers 0 to"));
  EXPECT_TRUE(is_error(workplace_.run(of_files({"--target", "3"})), 2, "there is no class '3'"));
  EXPECT_TRUE(is_error(workplace_.run(of_files({"--jiter", "3"})), 2, "jiter"));
  EXPECT_TRUE(is_error(workplace_.run({"visualize"}), 2, "give either a run folder or --classifier"));
  EXPECT_TRUE(
      is_error(workplace_.run({"visualize", "run", "--decoder", "x.pt"}), 2, "run folder has its own"));
}

TEST_F(Models, TrustRepeatsTheRunAndComparesAnother) {
  EXPECT_EQ(json({"trust", "run", "--json"}), metrics_["gce"]["trust"]);
  EXPECT_FALSE(metrics_["gce"]["trust"].contains("seeds"));
  const nlohmann::json same = json({"trust", "run", "--with", "run", "--randomized", "0", "--json"});
  EXPECT_NEAR(same["seeds"]["alpha_mean"].get<double>(), 1, 1e-6);
  EXPECT_TRUE(contains(workplace_.must_run({"trust", "run", "--with", "run"}).out, "alpha_1 is alpha_1"));
  EXPECT_TRUE(is_error(workplace_.run({"trust", "run", "--with", "squares"}), 1, "not a run folder"));
}

TEST_F(Models, ExportedFilesGiveWhatTheRunGave) {
  workplace_.must_run({"export", "run"});
  const nlohmann::json flow = json(std::vector<std::string>{"flow"} + files_ +
                                   std::vector<std::string>{"--samples", "40x20", "--seed", "0", "--json"});
  const nlohmann::json& own = metrics_["gce"]["information_flow"];
  EXPECT_EQ(flow["samples"], (nlohmann::json{40, 20}));
  EXPECT_EQ(flow.size(), 5u);
  for (const char* part : {"alpha", "beta"}) {
    EXPECT_NEAR(flow[part]["nats"].get<double>(), own[part]["nats"].get<double>(), 1e-4);
    EXPECT_NEAR(flow[part]["se"].get<double>(), own[part]["se"].get<double>(), 1e-4);
  }
  ASSERT_EQ(flow["factors"].size(), 3u);
  EXPECT_EQ(flow["factors"][2]["name"], "beta_2");
  EXPECT_EQ(flow["factors"][2]["causal"], false);

  const std::vector<std::string> images = {"--encoder", "run/torchscript/encoder.pt", "--data", "squares"};
  const nlohmann::json ablation = json(std::vector<std::string>{"ablate"} + files_ + images +
                                       std::vector<std::string>{"--out", "figures", "--json"});
  EXPECT_NEAR(ablation["reencoded"].get<double>(), metrics_["gce"]["ablation"]["reencoded"].get<double>(),
              0.011);
  EXPECT_TRUE(std::filesystem::exists(workplace_ / "figures/ablation.svg"));
  const nlohmann::json sweeps =
      json(std::vector<std::string>{"sweep"} + files_ + images +
           std::vector<std::string>{"--rows", "2", "--steps", "3", "--out", "figures", "--json"});
  ASSERT_EQ(sweeps.size(), 3u);
  EXPECT_EQ(sweeps[0]["probabilities"].size(), 2u);
  EXPECT_EQ(sweeps[0]["probabilities"][0].size(), 3u);
  EXPECT_NEAR(
      sweeps[0]["probabilities"][0][0][0].get<double>() + sweeps[0]["probabilities"][0][0][1].get<double>(),
      1, 1e-5);
}

TEST_F(Models, WhatNeedsNoImagesNeedsNoData) {
  std::filesystem::rename(workplace_ / "squares", workplace_ / "elsewhere");
  nlohmann::json flow = metrics_["gce"]["information_flow"];
  flow.erase("most_possible");
  EXPECT_EQ(json({"flow", "run", "--samples", "40x20", "--json"}), flow);
  workplace_.must_run({"export", "run"});
  EXPECT_TRUE(std::filesystem::exists(workplace_ / "run/torchscript/classifier.pt"));
  EXPECT_TRUE(is_error(workplace_.run({"ablate", "run"}), 1, "squares"));
}

TEST_F(Models, ARunFromAnotherMachineIsOpenedOnThisOnesProcessor) {
  const std::filesystem::path recipe = workplace_ / "run/recipe.toml";
  std::string text = read_file(recipe);
  const std::string here = "device = \"cpu\"";
  ASSERT_NE(text.find(here), std::string::npos);
  test::put(recipe, text.replace(text.find(here), here.size(), "device = \"cuda:99\""));
  EXPECT_TRUE(
      is_error(workplace_.run({"flow", "run", "--json"}), 1, "the device \"cuda:99\" was asked for, but"));
  EXPECT_EQ(json({"flow", "run", "--samples", "40x20", "--json", "--device", "cpu"}).at("alpha"),
            metrics_.at("gce").at("information_flow").at("alpha"));
  EXPECT_TRUE(is_error(workplace_.run({"flow", "run", "--device", "tpu"}), 2, "there is no device \"tpu\""));
  EXPECT_TRUE(is_error(workplace_.run(std::vector<std::string>{"flow", "--device", "cpu"} + files_), 2,
                       "--device is for a run folder"));
}

TEST_F(Models, FactorsMayShareTheirDraws) {
  const nlohmann::json own = json({"flow", "run", "--samples", "200x200", "--json"});
  const nlohmann::json shared =
      json({"flow", "run", "--samples", "200x200", "--factor-draws", "shared", "--json"});
  EXPECT_EQ(own["factor_draws"], "own");
  EXPECT_EQ(shared["factor_draws"], "shared");
  EXPECT_EQ(shared["beta"], own["beta"]);
  for (std::size_t i = 0; i < 3; ++i) {
    const nlohmann::json &a = own["factors"][i], &b = shared["factors"][i];
    EXPECT_NEAR(a["nats"].get<double>(), b["nats"].get<double>(),
                4 * std::hypot(a["se"].get<double>(), b["se"].get<double>()) + 1e-3);
  }
  EXPECT_TRUE(is_error(workplace_.run({"flow", "run", "--factor-draws", "shared", "--outer-draws",
                                       "independent", "--correction", "jackknife"}),
                       2, "jackknife"));
}

TEST_F(Models, FilesThatDoNotFitAreRefused) {
  workplace_.must_run({"export", "run"});
  const std::vector<std::string> flow = {"flow", "--samples", "4x4"};
  EXPECT_TRUE(is_error(
      workplace_.run(flow + files_ + std::vector<std::string>{"--classifier-output", "probabilities"}), 1,
      "classifier.pt"));
  auto swapped = files_;
  swapped[1] = "run/torchscript/decoder.pt";
  EXPECT_TRUE(is_error(workplace_.run(flow + swapped), 1, "decoder.pt"));
  auto wide = files_;
  wide[5] = "4";
  EXPECT_TRUE(is_error(workplace_.run(flow + wide), 1, "decoder.pt"));
  auto too_causal = files_;
  too_causal[7] = "5";
  EXPECT_TRUE(is_error(workplace_.run(flow + too_causal), 2, "--causal is 5"));
  EXPECT_TRUE(is_error(workplace_.run(flow + std::vector<std::string>{"run"} + files_), 2, "not both"));
}

TEST_F(Models, ImportTellsTheLayersAndWritesTheWeights) {
  workplace_.must_run({"export", "run"});
  const auto outcome = workplace_.must_run({"import", "run/torchscript/classifier.pt", "--input", "1x8x8"});
  EXPECT_TRUE(contains(outcome.out, "Conv2d"));
  EXPECT_TRUE(contains(outcome.out, "4x6x6"));
  EXPECT_TRUE(std::filesystem::exists(workplace_ / "classifier.safetensors"));
  const nlohmann::json layers =
      json({"import", "run/torchscript/decoder.pt", "--input", "3", "--out", "d.safetensors", "--json"});
  EXPECT_GT(layers["layers"].size(), 5u);
  EXPECT_TRUE(std::filesystem::exists(workplace_ / "d.safetensors"));
  EXPECT_TRUE(is_error(workplace_.run({"import", "run/torchscript/classifier.pt", "--input", "3x5x5"}), 1,
                       "classifier.pt"));
}

TEST_F(Models, AUsersOwnClassifierIsExplained) {
  workplace_.must_run({"export", "run"});
  workplace_.must_run({"run", "recipe-of-squares.toml", "--out", "own", "--set",
                       "classifier.file=run/torchscript/classifier.pt"});
  const nlohmann::json own = read_json(workplace_ / "own/metrics.json");
  EXPECT_EQ(own["classifier"]["test_accuracy"], metrics_["classifier"]["test_accuracy"]);
  EXPECT_NEAR(own["gce"]["information_flow"]["alpha"]["nats"].get<double>(),
              metrics_["gce"]["information_flow"]["alpha"]["nats"].get<double>(), 0.1);
  EXPECT_FALSE(std::filesystem::exists(workplace_ / "own/classifier.safetensors"));
}

}  // namespace
}  // namespace whence
