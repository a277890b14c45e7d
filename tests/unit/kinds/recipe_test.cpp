// Recipes: values in, values out, and the page that documents them.
#include "experiment/recipe.h"

#include "kinds/gce/linear_gaussian.h"
#include "kinds/generator/generator.h"
#include "unit/experiment/support.h"
#include "unit/kinds/support.h"
#include "whence/models/architectures.h"

namespace whence::kinds {
namespace {

using whence::test::contains;
using whence::test_support::kLeast;

Recipe with(const std::vector<std::string>& settings) {
  return parse_recipe(kinds(), kLeast, "least.toml", settings);
}

nlohmann::json all_values(const Recipe& recipe) {
  return recipe_values(recipe, names_of(schema_of(kinds())));
}

TEST(Recipe, DefaultsAreTheTextsValues) {
  const Recipe recipe = with({});
  EXPECT_EQ(recipe.get<About>().title, "least");
  EXPECT_EQ(recipe.get<gce::Training>().steps, 8000);
  EXPECT_EQ(recipe.get<EvaluationOptions>().flow.outer, 200);
  EXPECT_DOUBLE_EQ(recipe.get<ClassifierOptions>().training.learning_rate, 0.1);
  EXPECT_TRUE(explains(recipe.values));
}

/// Another value than the default, as TOML has it.
std::string other_value(const config::Key& key, const std::string& value) {
  if (const auto* choice = std::get_if<config::Choice>(&key.type))
    return fmt::format("'{}'", value == fmt::format("\"{}\"", choice->names.front()) ? choice->names.back()
                                                                                     : choice->names.front());
  if (std::holds_alternative<config::Toggle>(key.type)) return value == "true" ? "false" : "true";
  if (std::holds_alternative<config::Integer>(key.type)) return value == "2" ? "3" : "2";
  if (std::holds_alternative<config::Pair>(key.type)) return "[31, 17]";
  if (std::holds_alternative<config::Integers>(key.type)) return "[1, 2]";
  if (std::holds_alternative<config::Texts>(key.type)) return R"(["a", "b"])";
  if (const auto* choices = std::get_if<config::Choices>(&key.type))
    return fmt::format("['{}']", choices->names.front());
  if (const auto* from = std::get_if<config::Number>(&key.type); from != nullptr && from->least > 0.5)
    return fmt::format("{}", from->least + (value == fmt::format("{}", from->least + 0.5) ? 0.25 : 0.5));
  const bool number = std::holds_alternative<config::Number>(key.type) ||
                      std::holds_alternative<config::OptionalNumber>(key.type);
  return number ? (value == "0.25" ? "0.5" : "0.25") : "\"/somewhere/else\"";
}

TEST(Recipe, EveryKeyHasAPlaceOfItsOwnAndSurvivesTheResolvedRecipe) {
  const config::Values defaults;
  for (const config::Section& section : schema_of(kinds())) {
    for (const config::Key& key : section.keys) {
      const std::string name = config::full_name(section, key);
      const std::string value = config::written(key.type, defaults);
      const auto* choice = std::get_if<config::Choice>(&key.type);
      if (choice != nullptr && choice->names.size() == 1) continue;
      Recipe changed{&kinds()};
      config::parse_into(changed.values, schema_of(kinds()),
                         (section.name.empty() ? "" : fmt::format("[{}]\n", section.name)) +
                             fmt::format("{} = {}\n", key.name, other_value(key, value)),
                         "changed.toml");
      const nlohmann::json before = all_values({&kinds()}), after = all_values(changed);
      for (const auto& [other, json] : before.items()) EXPECT_EQ(json == after[other], other != name) << name;
      Recipe again{&kinds()};
      config::parse_into(again.values, schema_of(kinds()), to_toml(changed), "again.toml");
      EXPECT_EQ(all_values(again), after) << name;
    }
  }
}

TEST(Recipe, EachMetricOfAKindCanBeExpected) {
  const Recipe recipe = with({"expected.flip_rate=0.9", "expected.flow=1.05", "expected.accuracy=0.95"});
  EXPECT_EQ(recipe.get<Expected>().values.at("flip_rate"), 0.9);
  EXPECT_EQ(recipe.get<Expected>().values.at("flow"), 1.05);
}

TEST(Recipe, ReferencePageIsTheProgramsOwn) {
  const std::string page = recipe_reference(kinds());
  EXPECT_TRUE(read_file(std::filesystem::path(WHENCE_SOURCE_DIR) / "docs/recipes.md") == page)
      << "run: build/release/whence recipe --reference > docs/recipes.md";
  for (const config::Section& section : schema_of(kinds()))
    for (const config::Key& key : section.keys) {
      const std::string_view name = key.name;
      const std::size_t end = name.find('_') + 1;  // a row may name many ends
      const bool joined = contains(page, fmt::format("| `{}NAME` |", name.substr(0, end))) &&
                          contains(page, fmt::format("`{}`", name.substr(end)));
      EXPECT_TRUE(joined || contains(page, fmt::format("| `{}` |", name))) << name;
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
      EXPECT_NO_THROW(load_recipe(kinds(), entry.path())) << entry.path();
    ++count;
  }
  EXPECT_GE(count, 1);
}

TEST(Recipe, LayersThatAnAutoencoderComparesAreThoseOfItsClassifier) {
  int named = 0;
  for (const auto& entry :
       std::filesystem::recursive_directory_iterator(std::filesystem::path(WHENCE_SOURCE_DIR) / "recipes")) {
    if (entry.path().extension() != ".toml" || entry.path().filename() == "linear-gaussian.toml") continue;
    const Recipe recipe = load_recipe(kinds(), entry.path());
    const auto& layers = recipe.get<GeneratorTraining>().feature_layers;
    if (layers.empty()) continue;
    const auto& options = recipe.get<experiment::ClassifierOptions>();
    models::ClassifierRequest request = options.network;
    request.image = nn::Shape{1, 28, 28};
    request.classes = 10;
    const nn::Network network = models::classifier_architectures()[options.architecture].make(request);
    for (const std::string& layer : layers)
      EXPECT_NO_THROW(network.find(layer)) << entry.path() << " " << layer;
    ++named;
  }
  EXPECT_GE(named, 1);
}

// Its lambda is our own; docs/results.toml shows the texts' beside it.
TEST(Recipe, MainRecipeAsksForWhatTheTextsState) {
  const Recipe recipe =
      load_recipe(kinds(), std::filesystem::path(WHENCE_SOURCE_DIR) / "recipes/gce/fmnist-034.toml");
  EXPECT_EQ(recipe.get<DataOptions>().classes, (std::vector<std::int64_t>{0, 3, 4}));
  EXPECT_EQ(recipe.get<gce::Training>().causal, 2);
  EXPECT_EQ(recipe.get<gce::Training>().noncausal, 4);
  EXPECT_EQ(models::autoencoder_architectures()[recipe.get<GeneratorOptions>().architecture].name, "cvae");
  EXPECT_EQ(recipe.get<Expected>().values.at("flow"), std::optional(1.069));
}

}  // namespace
}  // namespace whence::kinds
