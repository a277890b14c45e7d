// Every wrong recipe gets one sentence with file, line, key and what is allowed, and exit code 2.
#include "experiment/recipe.h"
#include "experiment/recipe_keys.h"
#include "unit/experiment/support.h"

namespace whence::experiment {
namespace {

using whence::test::contains;
using whence::test::error_of;
using whence::test_support::kLeast;

std::string error_in(const std::string& text) {
  return error_of([&] { parse_recipe(text, "bad.toml"); }, ExitCode::usage);
}
std::string error_with(const std::string& setting) {
  return error_of([&] { parse_recipe(kLeast, "least.toml", {setting}); }, ExitCode::usage);
}

TEST(RecipeErrors, NameTheNearestKey) {
  const std::string misspelt = error_in(std::string(kLeast) + "[explanation]\nlamda = 1.0\n");
  EXPECT_TRUE(contains(misspelt, "bad.toml:4: "));
  EXPECT_TRUE(contains(misspelt, "no recipe key 'explanation.lamda' (did you mean 'explanation.lambda'?)"));
  EXPECT_TRUE(
      contains(error_in(std::string(kLeast) + "[generator]\nlambda = 1.0\n"), "'explanation.lambda'"));
  EXPECT_TRUE(
      contains(error_in(std::string(kLeast) + "[explanations]\nlambda = 1.0\n"),
               "bad.toml:3: there is no recipe section [explanations] (did you mean 'explanation'?)"));
  EXPECT_TRUE(contains(error_in("titel = \"x\"\n"),
                       "bad.toml:1: there is no recipe key 'titel' (did you mean 'title'?)"));
  EXPECT_TRUE(contains(error_with("explanation.step=3"), "--set explanation.step=3: there is no recipe key"));
  EXPECT_TRUE(contains(error_with("steps=3"), "'explanation.steps'"));
}

TEST(RecipeErrors, NameTheNearestChoice) {
  EXPECT_TRUE(contains(error_with("explanation.sampling=nestet"),
                       "must be one of 'nested', 'crossed' (did you mean 'nested'?)"));
  EXPECT_TRUE(
      contains(error_with("data.set=fashionmnist"),
               "data.set is 'fashionmnist', but must be mnist, fashion-mnist, notmnist, cifar10 or, for "
               "files of your own, idx or pictures (did you mean 'fashion-mnist'?)"));
}

TEST(RecipeErrors, NotToml) {
  EXPECT_TRUE(contains(error_in("[data\nset = 3\n"), "bad.toml:1: not a recipe: "));
  EXPECT_TRUE(contains(error_in("[data]\nset = \"mnist\"\nset = \"mnist\"\n"), "bad.toml:3: not a recipe: "));
  EXPECT_TRUE(contains(error_in("data = 3\n"), "'data' is a section"));
  EXPECT_TRUE(contains(error_in(std::string(kLeast) + "[data.path]\nx = 1\n"), "data.path is a section"));
}

/// Values that the key must refuse, in TOML.
struct Wrong {
  std::vector<std::string> operator()(const Integer& t) const {
    return {std::to_string(t.least - 1), "1.5", "true", "\"1\"", "[1]", "nan"};
  }
  std::vector<std::string> operator()(const Number& t) const {
    return {fmt::format("{}", t.least - 1), t.above_least ? fmt::format("{}", t.least) : "inf", "nan",
            "\"1\"", "true"};
  }
  std::vector<std::string> operator()(const OptionalNumber&) const { return {"nan", "\"1\"", "true"}; }
  std::vector<std::string> operator()(const Toggle&) const { return {"1", "\"true\"", "[]"}; }
  std::vector<std::string> operator()(const Text&) const { return {"1", "true", "[\"a\"]"}; }
  std::vector<std::string> operator()(const Path&) const { return {"1", "true", "[\"a\"]"}; }
  std::vector<std::string> operator()(const Integers& t) const {
    return {std::to_string(t.least), fmt::format("[{}]", t.least - 1), "[1.5]", "[\"1\"]", "[[1]]"};
  }
  std::vector<std::string> operator()(const Pair& t) const {
    return {"[200]", "[200, 200, 200]", fmt::format("[200, {}]", t.least - 1), "[0, 0]", "200", "[1.5, 2.5]"};
  }
  std::vector<std::string> operator()(const Texts&) const { return {"\"a\"", "[1]", "[[\"a\"]]"}; }
  std::vector<std::string> operator()(const Choice&) const {
    return {"1", "\"\"", "\"neither of them\"", "true"};
  }
};

TEST(RecipeErrors, EveryKeyRefusesWrongTypesAndRanges) {
  for (const Key& key : recipe_keys()) {
    for (const std::string& value : std::visit(Wrong{}, key.type)) {
      const std::string_view section = section_of(key.name);
      std::string text = fmt::format("{} = {}\n", last_part(key.name), value);
      int line = 1;
      if (!section.empty()) {
        text = fmt::format("[{}]\n", section) + text;
        line = 2;
      }
      const std::string sentence = error_in(text);
      EXPECT_TRUE(contains(sentence, fmt::format("bad.toml:{}: {} is ", line, key.name))) << value;
      EXPECT_TRUE(contains(sentence, allowed_values(key.type))) << value;
      EXPECT_EQ(sentence.find('\n'), std::string::npos) << sentence;
    }
  }
}

TEST(RecipeErrors, TheIssuesExamples) {
  EXPECT_TRUE(
      contains(error_with("explanation.causal=0"), "explanation.causal is 0, but must be an integer from 1"));
  EXPECT_TRUE(contains(error_with("explanation.lambda=-0.1"),
                       "explanation.lambda is -0.1, but must be a number of at"));
  EXPECT_TRUE(contains(error_with("explanation.alpha_samples=0"), "must be an integer from 2"));
  EXPECT_TRUE(contains(error_with("evaluation.flow_samples=0x200"), "must be a list of two integers from 2"));
}

TEST(RecipeErrors, Settings) {
  EXPECT_TRUE(contains(error_with("explanation.causal"), "expected section.key=value"));
  EXPECT_TRUE(contains(error_with("explanation.causal="), "explanation.causal is empty"));
  EXPECT_TRUE(contains(error_with("explanation.causal=two"), "explanation.causal is 'two'"));
  EXPECT_TRUE(contains(error_with("explanation.causal=2\nrun.seed=3"), "explanation.causal"));
}

TEST(RecipeErrors, Contradictions) {
  EXPECT_TRUE(contains(error_in("title = \"x\"\n"), "data.set is missing"));
  EXPECT_TRUE(contains(error_with("data.classes=3"), "at least two"));
  EXPECT_TRUE(contains(error_with("data.classes=3,3"), "twice"));
  EXPECT_TRUE(contains(error_with("data.set=idx"), "data.path"));
  EXPECT_TRUE(contains(error_in("[data]\nset = \"idx\"\npath = \"x\"\n"), "data.class_names"));
  EXPECT_TRUE(contains(error_with("data.class_names=[\"a\", \"b\"]"), "only for data.set"));
  const auto conditional = [](const std::string& sampling) {
    return std::vector<std::string>{"explanation.objective=joint_conditional",
                                    "explanation.sampling=" + sampling};
  };
  EXPECT_NO_THROW(parse_recipe(kLeast, "x.toml", conditional("crossed")));
  EXPECT_TRUE(
      contains(error_of([&] { parse_recipe(kLeast, "x.toml", conditional("nested")); }, ExitCode::usage),
               "needs explanation.sampling"));
  EXPECT_TRUE(contains(error_with("evaluation.flow_correction=jackknife"),
                       "needs evaluation.flow_outer_draws = \"independent\""));
  const std::vector<std::string> jackknife = {"evaluation.flow_correction=jackknife",
                                              "evaluation.factor_draws=shared",
                                              "evaluation.flow_outer_draws=independent"};
  EXPECT_TRUE(contains(error_of([&] { parse_recipe(kLeast, "x.toml", jackknife); }, ExitCode::usage),
                       "needs evaluation.flow_correction"));
}

TEST(RecipeErrors, TermsThatCannotBeTrained) {
  const auto sentence = [](const std::vector<std::string>& settings) {
    return error_of([&] { parse_recipe(kLeast, "x.toml", settings); }, ExitCode::usage);
  };
  EXPECT_TRUE(
      contains(sentence({"explanation.lambda=0", "explanation.causal_weight=0"}), "nothing to train"));
  EXPECT_TRUE(contains(sentence({"explanation.leak_penalty=1", "explanation.sampling=nested"}),
                       "explanation.sampling = \"crossed\""));
  EXPECT_TRUE(contains(sentence({"explanation.leak_penalty=1", "explanation.noncausal=0"}), "noncausal"));
  EXPECT_TRUE(contains(
      sentence({"explanation.leak_penalty=1", "explanation.objective=independent_unconditional"}), "joint"));
  EXPECT_TRUE(contains(sentence({"explanation.leak_penalty=1", "explanation.sampling=crossed",
                                 "explanation.inference=variational", "explanation.beta_samples=1"}),
                       "explanation.beta_samples of at least 2"));
  EXPECT_TRUE(contains(sentence({"explanation.manifold_weight=1"}), "needs explanation.pretraining"));
  EXPECT_TRUE(contains(
      sentence({"explanation.manifold_weight=1", "explanation.pretraining=5", "explanation.causal_weight=0"}),
      "needs explanation.causal_weight or"));
  EXPECT_NO_THROW(parse_recipe(kLeast, "x.toml",
                               {"explanation.leak_penalty=1", "explanation.sampling=crossed",
                                "explanation.objective=independent_unconditional", "explanation.causal=1"}));
}

TEST(RecipeErrors, TheVariationalBoundIsForTrainingOneObjective) {
  EXPECT_TRUE(contains(error_with("explanation.beta_samples=1"), "at least 2"));
  EXPECT_NO_THROW(parse_recipe(
      kLeast, "x.toml",
      {"explanation.beta_samples=1", "explanation.inference=variational", "explanation.sampling=nested"}));
  EXPECT_TRUE(contains(error_of(
                           [] {
                             parse_recipe(kLeast, "x.toml",
                                          {"explanation.inference=variational",
                                           "explanation.objective=joint_conditional"});
                           },
                           ExitCode::usage),
                       "joint_unconditional"));
  EXPECT_TRUE(contains(error_with("evaluation.flow_sampling=variational"), "'nested', 'crossed'"));
}

TEST(RecipeErrors, DrawsOfThePosteriorNeedOtherImages) {
  const auto parse = [](const char* batch) {
    parse_recipe(kLeast, "x.toml", {"explanation.latents=posterior", "explanation.beta_samples=4", batch});
  };
  EXPECT_NO_THROW(parse("explanation.batch=5"));
  EXPECT_TRUE(
      contains(error_of([&] { parse("explanation.batch=4"); }, ExitCode::usage), "explanation.batch"));
  EXPECT_TRUE(contains(error_with("explanation.latents=data"), "'prior', 'posterior'"));
}

TEST(RecipeErrors, MissingFile) {
  EXPECT_TRUE(contains(error_of([] { load_recipe("/nowhere/x.toml"); }), "/nowhere/x.toml"));
}

}  // namespace
}  // namespace whence::experiment
