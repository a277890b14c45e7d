// whence modules: on a run, on files, and on what cannot be taken apart.
#include "cli/program.h"
#include "whence/interchange/safetensors.h"

namespace whence {
namespace {

using test::contains;
using test_support::is_error;
using test_support::Workplace;

using Words = std::vector<std::string>;

Words joined(Words a, const Words& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

const Words kSmall = {"--pairs",        "32", "--measured-pairs", "20", "--flow-samples", "8x8",
                      "--largest-rank", "3",  "--random-sets",    "2",  "--json"};

TEST(ModulesCommand, OfARunAndOfItsFiles) {
  const Workplace workplace;
  test_support::write_squares_recipe(workplace.path());
  workplace.must_run({"train", "recipe-of-squares.toml", "--out", "run", "--quiet"});
  const auto json = [&](const Words& arguments) {
    return nlohmann::json::parse(workplace.must_run(joined(joined({"modules"}, arguments), kSmall)).out);
  };
  const nlohmann::json run = json({"run", "--rank", "2", "--out", "figures"});
  EXPECT_EQ(run["layer"], "conv1");
  EXPECT_EQ(run["modules"].size(), 2U);
  EXPECT_EQ(run["originals"], "images");
  for (const char* figure : {"maps", "hybrids", "scaled", "stability", "flow"})
    EXPECT_TRUE(std::filesystem::exists(workplace / fmt::format("figures/modules-{}.svg", figure))) << figure;
  const nn::SafetensorsFile file = nn::load_safetensors(workplace / "figures/modules.safetensors");
  EXPECT_EQ(file.tensors.size(), 5U);
  const nlohmann::json closer =
      json({"run", "--rank", "2", "--per-colour", "--map-error", "0.2", "--out", "coloured"});
  EXPECT_LE(closer["relative_error"].get<double>(), 0.2);
  EXPECT_GT(closer["pairs"].get<int>(), 32);
  const nn::SafetensorsFile coloured = nn::load_safetensors(workplace / "coloured/modules.safetensors");
  const auto maps = std::find_if(coloured.tensors.begin(), coloured.tensors.end(),
                                 [](const nn::NamedTensor& entry) { return entry.name == "maps"; });
  ASSERT_NE(maps, coloured.tensors.end());
  EXPECT_EQ(maps->tensor.dim(), 4);  // channels, colours, height, width

  workplace.must_run({"export", "run"});
  const Words decoder = {"--decoder", "run/torchscript/decoder.pt", "--latents", "3"};
  const nlohmann::json files =
      json(joined(decoder, {"--encoder", "run/torchscript/encoder.pt", "--data", "squares", "--classifier",
                            "run/torchscript/classifier.pt", "--rank", "2"}));
  EXPECT_EQ(files["modules"][0]["channels"], run["modules"][0]["channels"]);
  EXPECT_NEAR(files["margin"]["mean"].get<double>(), run["margin"]["mean"].get<double>(), 1e-4);
  EXPECT_NEAR(files["modules"][0]["flow"]["nats"].get<double>(),
              run["modules"][0]["flow"]["nats"].get<double>(), 1e-4);
  const nlohmann::json alone = json(joined(decoder, {"--layer", "conv2"}));
  EXPECT_EQ(alone["originals"], "prior");
  EXPECT_EQ(alone["layer"], "conv2");
  EXPECT_FALSE(alone.contains("flow"));
  EXPECT_TRUE(contains(workplace.must_run({"modules", "run", "--pairs", "16", "--flow-samples", "4x4"}).out,
                       "margin "));

  const auto refused = [&](const Words& arguments, const std::string& part) {
    return is_error(workplace.run(joined({"modules"}, arguments)), 2, part);
  };
  EXPECT_TRUE(refused({"run", "--layer", "conv9"}, "did you mean 'conv"));
  EXPECT_TRUE(refused({"run", "--layer", "fc"}, "has no channels"));
  EXPECT_TRUE(refused({"run", "--rank", "9"}, "9 modules were asked of 8 channels"));
  EXPECT_TRUE(refused({"run", "--pairs", "1"}, "--pairs is 1"));
  EXPECT_TRUE(refused({"run", "--decoder", "x.pt"}, "either a run folder or model files"));
  EXPECT_TRUE(refused({"--decoder", "x.pt"}, "--decoder and --latents"));
  EXPECT_TRUE(refused(joined(decoder, {"--data", "squares"}), "belong together"));
}

/// A GAN has no encoder, but its run has images.
TEST(ModulesCommand, HybridsOfAGanAreComparedWithRealImages) {
  const Workplace workplace;
  test_support::write_squares_recipe(workplace.path());
  workplace.must_run({"train", "recipe-of-squares.toml", "--out", "run", "--quiet", "--set",
                      "generator.latents=3", "--set", "generator.objective=gan", "--set",
                      "generator.architecture=dcgan-upsampling", "--set", "generator.steps=4", "--set",
                      "generator.candidate_steps=0", "--set", "generator.batch=16"});
  const nlohmann::json study = nlohmann::json::parse(
      workplace.must_run(joined({"modules", "run", "--rank", "2", "--layer", "norm_fc"}, kSmall)).out);
  EXPECT_EQ(study["originals"], "prior");
  for (const char* set : {"originals", "module", "soft_blend"})
    EXPECT_TRUE(study["frechet"][set].contains("to_real")) << set;
  const nlohmann::json maps =
      nlohmann::json::parse(workplace.must_run({"attribute", "run", "--count", "2", "--json"}).out);
  EXPECT_TRUE(maps["methods"].contains("integrated_gradients"));
  EXPECT_TRUE(contains(maps["skipped"].dump(), "path_mask")) << "it needs codes of images";
  std::filesystem::remove_all(workplace / "squares");
  const auto without =
      workplace.must_run(joined({"modules", "run", "--rank", "2", "--layer", "norm_fc"}, kSmall));
  EXPECT_TRUE(contains(without.err, "distances to real images are left out")) << without.err;
  EXPECT_FALSE(nlohmann::json::parse(without.out)["frechet"]["module"].contains("to_real"));
}

}  // namespace
}  // namespace whence
