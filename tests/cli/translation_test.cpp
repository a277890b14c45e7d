// Image translation as a user meets it: a recipe with and without an autoencoder, the verb, and wrong values.
#include <fmt/format.h>

#include "cli/program.h"
#include "whence/core/files.h"

namespace whence {
namespace {

using test::contains;
using test_support::is_error;
using test_support::Workplace;

using Words = std::vector<std::string>;

/// The recipe of squares with settings; "recipe-of-squares.toml" lies in the workplace.
Words run_words(const std::string& out, const Words& settings) {
  Words words = {"run", "recipe-of-squares.toml", "--out", out, "--quiet"};
  for (const std::string& setting : settings) {
    words.emplace_back("--set");
    words.push_back(setting);
  }
  return words;
}

TEST(TranslationCommand, InARecipeWithoutAGenerator) {
  const Workplace workplace;
  test_support::write_squares_recipe(workplace.path(), test_support::kSquaresClassifier);
  workplace.must_run(run_words(
      "run", {"explanation.steps=0", "translation.steps=30", "translation.width=8", "translation.images=40",
              "translation.batch=16", "morphing.known=100", "morphing.components=4"}));
  for (const char* file :
       {"translator.safetensors", "independent-classifier.safetensors", "figures/translations.svg"})
    EXPECT_TRUE(std::filesystem::exists(workplace / fmt::format("run/{}", file))) << file;
  const std::string page = read_file(workplace / "run/report.html");
  for (const char* part : {"Images translated to another class", "adversarial pixels", "cycle error",
                           "translations of the new class", "of an image may change"})
    EXPECT_TRUE(contains(page, part)) << part;
  const nlohmann::json metrics =
      nlohmann::json::parse(read_file(workplace / "run/metrics.json")).at("translation");
  EXPECT_EQ(metrics.at("steps"), 30);
  EXPECT_EQ(metrics.at("cases"), 40);
  const nlohmann::json& way = metrics.at("ways").at("translation");
  for (const char* name : {"failed", "unfinished", "entropy", "cycle", "mask", "seconds_per_image"})
    EXPECT_TRUE(std::isfinite(way.at(name).get<double>())) << name;
  EXPECT_FALSE(way.contains("reencoding"));  // there is no autoencoder

  const nlohmann::json asked = nlohmann::json::parse(
      workplace
          .must_run({"translate", "run", "--images", "3,17", "--target", "every", "--out", "found", "--json"})
          .out);
  EXPECT_EQ(asked.at("cases"), 2);  // of two classes each image has one other
  EXPECT_EQ(asked.at("results").at(0).at("image"), "image 3");
  EXPECT_NE(asked.at("results").at(0).at("from"), asked.at("results").at(0).at("to"));
  EXPECT_TRUE(std::filesystem::exists(workplace / "found/translations.svg"));
  EXPECT_TRUE(std::filesystem::exists(workplace / "found/translations.safetensors"));
  EXPECT_TRUE(contains(workplace.must_run({"translate", "run", "--count", "5"}).out, "5 translations"));
  EXPECT_TRUE(is_error(workplace.run({"translate", "run", "--target", "lef"}), 2, "did you mean 'left'"));

  // Paths by translation need no autoencoder.
  const nlohmann::json maps = nlohmann::json::parse(
      workplace
          .must_run({"attribute", "run", "--count", "4", "--method", "path_mask", "--path-baseline",
                     "translation", "--path-steps", "6", "--out", "maps", "--json"})
          .out);
  EXPECT_EQ(maps.at("path_baseline"), "translation");
  EXPECT_TRUE(
      contains(read_file(workplace / "maps/attributions.html"), "The path methods follow translations"));
  EXPECT_TRUE(is_error(workplace.run({"attribute", "run", "--method", "path_mask"}), 2, "needs a generator"));

  const auto refused = [&](const Words& settings, int code, const std::string& part) {
    return is_error(workplace.run(run_words("other", settings)), code, part);
  };
  EXPECT_TRUE(refused({"translation.steps=5", "translation.target=\"lef\""}, 2,
                      "translation.target is 'lef' (did you mean 'left'?), but must be"));
  EXPECT_TRUE(refused({"translation.steps=5", "translation.cycle_weight=-1"}, 2, "translation.cycle_weight"));
  EXPECT_TRUE(refused({"attribution.methods=[\"path_mask\"]", "attribution.path_baseline=\"translation\""}, 2,
                      "the recipe trains no translator; set translation.steps above 0"));
  EXPECT_TRUE(refused({"translation.step=5"}, 2, "did you mean 'translation.steps'?"));
}

TEST(TranslationCommand, StandsBesideMorphs) {
  const Workplace workplace;
  test_support::write_squares_recipe(workplace.path());
  workplace.must_run(run_words(
      "run", {"translation.steps=20", "translation.width=8", "translation.images=20", "morphing.images=12",
              "morphing.known=100", "morphing.components=4", "morphing.entropy_pairs=0",
              "attribution.methods=[\"path_integrated_gradients\"]", "attribution.images=6",
              "attribution.path_steps=6", "attribution.path_baseline=\"translation\""}));
  EXPECT_TRUE(contains(read_file(workplace / "run/report.html"), "The path methods follow translations"));
  const nlohmann::json ways =
      nlohmann::json::parse(read_file(workplace / "run/metrics.json")).at("morphing").at("ways");
  ASSERT_TRUE(ways.contains("translation"));
  EXPECT_TRUE(ways.at("translation").contains("cycle"));
  const nlohmann::json asked = nlohmann::json::parse(
      workplace.must_run({"morph", "run", "--count", "4", "--entropy-pairs", "0", "--json"}).out);
  EXPECT_TRUE(asked.at("ways").contains("translation"));
  workplace.must_run({"train", "recipe-of-squares.toml", "--out", "plain", "--quiet"});
  EXPECT_TRUE(is_error(workplace.run({"translate", "plain"}), 1, "has no translator"));
  EXPECT_TRUE(is_error(
      workplace.run({"attribute", "plain", "--method", "path_mask", "--path-baseline", "translation"}), 2,
      "there is no translator"));
}

}  // namespace
}  // namespace whence
