// whence causes: on a run, on files, and on what has no causes.
#include "cli/program.h"
#include "whence/core/files.h"

namespace whence {
namespace {

using test::contains;
using test_support::is_error;
using test_support::Workplace;

using Words = std::vector<std::string>;

TEST(CausesCommand, OfARunAndOfItsFiles) {
  const Workplace workplace;
  test_support::write_squares_recipe(workplace.path());
  workplace.must_run({"train", "recipe-of-squares.toml", "--out", "run", "--quiet"});
  workplace.must_run({"export", "run"});
  const Words small = {"--gradients",    "32",    "--map-steps", "40", "--map-draws", "400",
                       "--flow-samples", "40x40", "--json"};
  const auto json = [&](Words arguments) {
    arguments.insert(arguments.begin(), "causes");
    arguments.insert(arguments.end(), small.begin(), small.end());
    return nlohmann::json::parse(workplace.must_run(arguments).out);
  };
  const nlohmann::json run = json({"run", "--out", "found"});
  EXPECT_EQ(run["causal"], 1);
  EXPECT_EQ(run["latents"], 3);
  EXPECT_GE(run["flow"]["alpha"]["nats"].get<double>(), run["directions"]["alpha"]["nats"].get<double>());
  EXPECT_TRUE(std::filesystem::exists(workplace / "found/causes-alpha_1.svg"));
  const nlohmann::json files = json({"--decoder", "run/torchscript/decoder.pt", "--latents", "3",
                                     "--classifier", "run/torchscript/classifier.pt"});
  EXPECT_NEAR(files["directions"]["alpha"]["nats"].get<double>(),
              run["directions"]["alpha"]["nats"].get<double>(), 1e-3);
  // The generator that is written is a user's file like any other: its first latent is the cause.
  const nlohmann::json flow = nlohmann::json::parse(
      workplace
          .must_run({"flow", "--decoder", "found/causes.pt", "--latents", "3", "--causal", "1",
                     "--classifier", "run/torchscript/classifier.pt", "--samples", "200x200", "--json"})
          .out);
  EXPECT_NEAR(flow["alpha"]["nats"].get<double>(), run["flow"]["alpha"]["nats"].get<double>(),
              6 * run["flow"]["alpha"]["se"].get<double>() + 0.02);

  const auto refused = [&](Words arguments, const std::string& part) {
    arguments.insert(arguments.begin(), "causes");
    return is_error(workplace.run(arguments), 2, part);
  };
  EXPECT_TRUE(refused({"run", "--causal", "4"}, "4 causal directions do not fit a decoder of 3 latents"));
  EXPECT_TRUE(refused({"run", "--causal", "0"}, "--causal is 0"));
  EXPECT_TRUE(refused({"--decoder", "run/torchscript/decoder.pt", "--latents", "3"}, "give --classifier"));
}

/// A user's generator in a recipe: nothing is trained but the classifier, and everything that needs a decoder works.
TEST(CausesCommand, InAGeneratorThatAUserBrings) {
  const Workplace workplace;
  test_support::write_squares_recipe(workplace.path());
  workplace.must_run({"train", "recipe-of-squares.toml", "--out", "run", "--quiet"});
  workplace.must_run({"export", "run"});
  const auto run = [&](const Words& settings) {
    Words words = {"run",
                   "recipe-of-squares.toml",
                   "--out",
                   "own",
                   "--quiet",
                   "--set",
                   "generator.file=run/torchscript/decoder.pt"};
    for (const std::string& setting : settings) {
      words.emplace_back("--set");
      words.push_back(setting);
    }
    return words;
  };
  workplace.must_run(run({"generator.latents=3", "causes.causal=1", "causes.map_steps=20",
                          "causes.map_draws=200", "causes.flow_samples=[20,20]", "modules.pairs=16",
                          "modules.measured_pairs=8", "modules.divisions=1", "modules.flow_samples=[4,4]"}));
  const std::string page = read_file(workplace / "own/report.html");
  for (const char* part : {"Causes in the generator", "Modules of the generator",
                           "It is the file decoder.pt, which stays as it is."})
    EXPECT_TRUE(contains(page, part));
  EXPECT_FALSE(std::filesystem::exists(workplace / "own/decoder.safetensors"));
  EXPECT_TRUE(contains(
      workplace.must_run({"causes", "own", "--map-steps", "0", "--flow-samples", "20x20"}).out, "straight"));
  workplace.must_run({"export", "own"});
  EXPECT_TRUE(is_error(workplace.run(run({})), 2, "generator.file needs generator.latents"));
  EXPECT_TRUE(is_error(workplace.run(run({"generator.latents=4"})), 1, "decoder.pt"));
  EXPECT_TRUE(is_error(workplace.run(run({"generator.latents=3", "generator.file=none.pt"})), 1,
                       "none.pt, which does not exist"));
}

TEST(CausesCommand, InARecipe) {
  const Workplace workplace;
  test_support::write_squares_recipe(workplace.path());
  const Words alone = {"--set", "generator.latents=4",  "--set", "generator.steps=10",
                       "--set", "causes.causal=1",      "--set", "causes.map_steps=20",
                       "--set", "causes.map_draws=200", "--set", "causes.flow_samples=[20,20]"};
  Words words = {"run", "recipe-of-squares.toml", "--out", "run", "--quiet"};
  words.insert(words.end(), alone.begin(), alone.end());
  workplace.must_run(words);
  for (const char* file :
       {"causes.safetensors", "causes.pt", "figures/causes-flow.svg", "figures/causes-alpha_1.png"})
    EXPECT_TRUE(std::filesystem::exists(workplace / fmt::format("run/{}", file))) << file;
  const std::string page = read_file(workplace / "run/report.html");
  EXPECT_TRUE(contains(page, "Causes in the generator"));
  EXPECT_TRUE(
      is_error(workplace.run({"run", "recipe-of-squares.toml", "--out", "other", "--set", "causes.causal=1"}),
               2, "this recipe trains no generator alone"));
  EXPECT_TRUE(is_error(workplace.run({"run", "recipe-of-squares.toml", "--out", "other", "--set",
                                      "generator.latents=4", "--set", "causes.causal=5"}),
                       2, "causes.causal is 5, but the generator has 4 latents"));
}

}  // namespace
}  // namespace whence
