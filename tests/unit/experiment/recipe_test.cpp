// Recipes: values in, values out, and the page that documents them.
#include "experiment/recipe.h"

#include "experiment/linear_gaussian.h"
#include "experiment/recipe_keys.h"
#include "unit/experiment/support.h"

namespace whence::experiment {
namespace {

using whence::test::contains;
using whence::test_support::kLeast;

Recipe with(const std::vector<std::string>& settings) { return parse_recipe(kLeast, "least.toml", settings); }

TEST(Recipe, DefaultsAreTheTextsValues) {
  const Recipe recipe = with({});
  EXPECT_EQ(recipe.title, "least");
  EXPECT_EQ(recipe.explanation.steps, 8000);
  EXPECT_EQ(recipe.evaluation.flow.outer, 200);
  EXPECT_EQ(recipe.evaluation.flow.inner, 200);
  EXPECT_DOUBLE_EQ(recipe.classifier.training.learning_rate, 0.1);
  EXPECT_EQ(recipe.generator.network.width, 0);
  EXPECT_FALSE(recipe.expected.accuracy.has_value());
}

/// A value of the key's type that is not the default, as --set takes it.
struct OtherValue {
  const Recipe& defaults;

  std::string operator()(const Integer& t) const {
    Recipe copy = defaults;
    const std::int64_t value = t.at(copy);
    return std::to_string(value < t.most ? value + 1 : value - 1);
  }
  std::string operator()(const Number& t) const {
    Recipe copy = defaults;
    return fmt::format("{}", t.at(copy) == 0 ? 0.25 : t.at(copy) / 2);
  }
  std::string operator()(const OptionalNumber&) const { return "0.25"; }
  std::string operator()(const Toggle& t) const {
    Recipe copy = defaults;
    return t.at(copy) ? "false" : "true";
  }
  std::string operator()(const Text&) const { return "a \"quoted\" text"; }
  std::string operator()(const Path&) const { return "/somewhere/else"; }
  std::string operator()(const Integers&) const { return "1,2"; }
  std::string operator()(const Pair&) const { return "31x17"; }
  std::string operator()(const Texts&) const { return R"(["a", "b"])"; }
  std::string operator()(const Choice& t) const {
    Recipe copy = defaults;
    return std::string(t.names[(t.get(copy) + 1) % t.names.size()]);
  }
};

TEST(Recipe, EveryKeyCanBeSetAndSurvivesTheResolvedRecipe) {
  const Recipe defaults = with({});
  for (const Key& key : recipe_keys()) {
    if (key.name == "data.set") continue;
    std::vector<std::string> settings;
    if (key.name == "data.class_names") settings = {"data.set=idx", "data.path=/x"};
    if (key.name == "explanation.manifold_weight") settings = {"explanation.pretraining=1"};
    if (key.name.ends_with("correction"))  // the jackknife needs them
      settings = {"explanation.outer_draws=independent", "evaluation.flow_outer_draws=independent"};
    const auto* choice = std::get_if<Choice>(&key.type);
    const bool single = choice != nullptr && choice->names.size() == 1;
    settings.push_back(fmt::format("{}={}", key.name, std::visit(OtherValue{defaults}, key.type)));
    const Recipe changed = with(settings);
    const std::string name(key.name);
    const auto value = recipe_values(changed, {key.name})[name];
    EXPECT_EQ(value == recipe_values(defaults, {key.name})[name], single) << key.name;
    const Recipe again = parse_recipe(to_toml(changed), "again.toml");
    EXPECT_EQ(recipe_values(again, {key.name})[name], value) << key.name;
  }
}

TEST(Recipe, ResolvedRecipeIsAFixedPoint) {
  const std::string text =
      to_toml(with({"explanation.learning_rate=1e-5", "data.classes=0,3,4", "title=A \\ \"B\""}));
  EXPECT_EQ(to_toml(parse_recipe(text, "x.toml")), text);
}

TEST(Recipe, PathsInTheFileAreRelativeToItAndInSettingsToTheCurrentFolder) {
  const Recipe recipe = parse_recipe("[data]\nset = \"mnist\"\npath = \"../d\"\n", "/a/b/x.toml");
  EXPECT_EQ(recipe.data.path, "/a/d");
  EXPECT_EQ(with({"classifier.file=c.pt"}).classifier.file,
            (std::filesystem::current_path() / "c.pt").string());
}

TEST(Recipe, SettingsTakePrecedence) {
  const Recipe recipe = parse_recipe("[data]\nset = \"mnist\"\n[explanation]\ncausal = 3\n", "x.toml",
                                     {"explanation.causal=5"});
  EXPECT_EQ(recipe.explanation.causal, 5);
}

TEST(Recipe, ValuesAreChosenByKeyAndBySection) {
  const nlohmann::json values = recipe_values(with({}), {"data", "run.seed"});
  EXPECT_TRUE(values.contains("data.set") && values.contains("data.classes") && values.contains("run.seed"));
  EXPECT_FALSE(values.contains("run.threads") || values.contains("explanation.steps"));
}

TEST(Recipe, ReferencePageIsTheProgramsOwn) {
  EXPECT_TRUE(read_file(std::filesystem::path(WHENCE_SOURCE_DIR) / "docs/recipes.md") == recipe_reference())
      << "run: build/release/whence recipe --reference > docs/recipes.md";
  for (const Key& key : recipe_keys()) {
    EXPECT_TRUE(contains(recipe_reference(), fmt::format("| `{}` |", last_part(key.name))));
    EXPECT_TRUE(key.doc.ends_with('.')) << key.name;
  }
}

TEST(Recipe, EveryRecipeOfTheProjectIsValid) {
  int count = 0;
  for (const auto& entry :
       std::filesystem::recursive_directory_iterator(std::filesystem::path(WHENCE_SOURCE_DIR) / "recipes")) {
    if (entry.path().extension() != ".toml") continue;
    if (entry.path().filename() == "linear-gaussian.toml")
      EXPECT_NO_THROW(load_linear_gaussian(entry.path()));
    else
      EXPECT_NO_THROW(load_recipe(entry.path())) << entry.path();
    ++count;
  }
  EXPECT_GE(count, 1);
}

// Its lambda is our own; docs/results.toml shows the texts' beside it.
TEST(Recipe, MainRecipeAsksForWhatTheTextsState) {
  const Recipe recipe = load_recipe(std::filesystem::path(WHENCE_SOURCE_DIR) / "recipes/gce/fmnist-034.toml");
  EXPECT_EQ(recipe.data.classes, (std::vector<std::int64_t>{0, 3, 4}));
  EXPECT_EQ(recipe.explanation.causal, 2);
  EXPECT_EQ(recipe.explanation.noncausal, 4);
  EXPECT_EQ(models::autoencoder_architectures()[recipe.generator.architecture].name, "cvae");
  EXPECT_DOUBLE_EQ(recipe.expected.information_flow.value(), 1.069);
}

}  // namespace
}  // namespace whence::experiment
