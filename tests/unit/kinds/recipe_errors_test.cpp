// Every wrong recipe gets one sentence with file, line, key and what is allowed, and exit code 2.
#include "experiment/recipe.h"
#include "unit/experiment/support.h"
#include "unit/kinds/support.h"

namespace whence::kinds {
namespace {

using whence::test::contains;
using whence::test::error_of;
using whence::test_support::kLeast;

std::string error_in(const std::string& text) {
  return error_of([&] { parse_recipe(kinds(), text, "bad.toml"); }, ExitCode::usage);
}
std::string error_with(const std::string& setting) {
  return error_of([&] { parse_recipe(kinds(), kLeast, "least.toml", {setting}); }, ExitCode::usage);
}

TEST(RecipeErrors, NameTheNearest) {
  EXPECT_TRUE(contains(error_with("explanation.lamda=3"), "(did you mean 'explanation.lambda'?)"));
  EXPECT_TRUE(contains(error_with("expected.flo=3"), "(did you mean 'expected.flow'?)"));
  EXPECT_TRUE(
      contains(error_with("data.set=fashionmnist"),
               "data.set is 'fashionmnist', but must be mnist, fashion-mnist, notmnist, cifar10, sst or, for "
               "files of your own, idx, pictures or texts (did you mean 'fashion-mnist'?)"));
}

TEST(RecipeErrors, TheIssuesExamples) {
  EXPECT_TRUE(
      contains(error_with("explanation.causal=0"), "explanation.causal is 0, but must be an integer from 1"));
  EXPECT_TRUE(contains(error_with("explanation.lambda=-0.1"),
                       "explanation.lambda is -0.1, but must be a number of at"));
  EXPECT_TRUE(contains(error_with("explanation.alpha_samples=0"), "must be an integer from 2"));
  EXPECT_TRUE(contains(error_with("evaluation.flow_samples=0x200"), "must be a list of two integers from 2"));
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
  EXPECT_NO_THROW(parse_recipe(kinds(), kLeast, "x.toml", conditional("crossed")));
  EXPECT_TRUE(contains(
      error_of([&] { parse_recipe(kinds(), kLeast, "x.toml", conditional("nested")); }, ExitCode::usage),
      "needs explanation.sampling"));
  EXPECT_TRUE(contains(error_with("evaluation.flow_correction=jackknife"),
                       "needs evaluation.flow_outer_draws = \"independent\""));
  const std::vector<std::string> jackknife = {"evaluation.flow_correction=jackknife",
                                              "evaluation.factor_draws=shared",
                                              "evaluation.flow_outer_draws=independent"};
  EXPECT_TRUE(contains(error_of([&] { parse_recipe(kinds(), kLeast, "x.toml", jackknife); }, ExitCode::usage),
                       "needs evaluation.flow_correction"));
}

TEST(RecipeErrors, TermsThatCannotBeTrained) {
  const auto sentence = [](const std::vector<std::string>& settings) {
    return error_of([&] { parse_recipe(kinds(), kLeast, "x.toml", settings); }, ExitCode::usage);
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
  EXPECT_NO_THROW(parse_recipe(kinds(), kLeast, "x.toml",
                               {"explanation.leak_penalty=1", "explanation.sampling=crossed",
                                "explanation.objective=independent_unconditional", "explanation.causal=1"}));
}

TEST(RecipeErrors, TheVariationalBoundIsForTrainingOneObjective) {
  EXPECT_TRUE(contains(error_with("explanation.beta_samples=1"), "at least 2"));
  EXPECT_NO_THROW(parse_recipe(
      kinds(), kLeast, "x.toml",
      {"explanation.beta_samples=1", "explanation.inference=variational", "explanation.sampling=nested"}));
  EXPECT_TRUE(contains(error_of(
                           [] {
                             parse_recipe(kinds(), kLeast, "x.toml",
                                          {"explanation.inference=variational",
                                           "explanation.objective=joint_conditional"});
                           },
                           ExitCode::usage),
                       "joint_unconditional"));
  EXPECT_TRUE(contains(error_with("evaluation.flow_sampling=variational"), "'nested', 'crossed'"));
}

TEST(RecipeErrors, DrawsOfThePosteriorNeedOtherImages) {
  const auto parse = [](const char* batch) {
    parse_recipe(kinds(), kLeast, "x.toml",
                 {"explanation.latents=posterior", "explanation.beta_samples=4", batch});
  };
  EXPECT_NO_THROW(parse("explanation.batch=5"));
  EXPECT_TRUE(
      contains(error_of([&] { parse("explanation.batch=4"); }, ExitCode::usage), "explanation.batch"));
  EXPECT_TRUE(contains(error_with("explanation.latents=data"), "'prior', 'posterior'"));
}

TEST(RecipeErrors, MissingFile) {
  EXPECT_TRUE(contains(error_of([] { load_recipe(kinds(), "/nowhere/x.toml"); }), "/nowhere/x.toml"));
}

}  // namespace
}  // namespace whence::kinds
