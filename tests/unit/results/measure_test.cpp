#include "unit/results/support.h"

namespace whence::results {
namespace {

using test::contains;
using test::expect_error;

class MeasureRuns : public ResultsTest {
 protected:
  MeasureRuns() {
    write_run(runs() / "a", {.flow = 1.05, .sse = 10, .seconds = 3600});
    write_run(runs() / "b", {.flow = 1.07, .sse = 14, .seconds = 7200, .seed = 1});
    write_run(runs() / "c", {.flow = 1.0689, .sse = 12, .seconds = 5400, .seed = 2});
  }

  static constexpr const char* kThree =
      "runs = [\"a\", \"b\", \"c\"]\n"
      "figures = [{metric = \"flow\", bar = \">= 1.069\"}, {metric = \"bound\", bar = \"<= 17\"}, "
      "{metric = \"sse\"}]\n";
};

TEST_F(MeasureRuns, MediansAreJudgedInFull) {
  const Page page = experiment(kThree);
  const Measured measured = measure(page);
  const MeasuredExperiment& one = measured.experiments.at(0);
  ASSERT_EQ(one.runs.size(), 3u);
  EXPECT_EQ(one.figures[0].spread.median, 1.0689);
  EXPECT_EQ(one.figures[0].spread.least, 1.05);
  EXPECT_EQ(one.figures[0].spread.most, 1.07);
  EXPECT_EQ(one.figures[1].spread.median, 17);
  const Tally bars = tally(page.experiments[0], one);
  EXPECT_EQ(bars.reached, 1);
  EXPECT_EQ(bars.missed, 1);
  EXPECT_EQ(bars.unmeasured, 0);
}

TEST_F(MeasureRuns, WhatIsNotFinishedIsLeftOut) {
  run::Stamp begun;
  write_stamp(run::RunFolder(runs() / "b"), "report", begun);
  std::filesystem::remove(run::RunFolder(runs() / "c").stamp("report"));
  const Page page = experiment("runs = [\"a\", \"b\", \"c\", \"nowhere\"]\nfigures = [{metric = \"sse\"}]\n");
  EXPECT_EQ(measure(page).experiments[0].runs.size(), 1u);
  const Page none = experiment("runs = [\"b\"]\nfigures = [{metric = \"sse\", bar = \"<= 1\"}]\n");
  const Measured measured = measure(none);
  EXPECT_FALSE(measured.experiments[0].figures[0].measured());
  EXPECT_EQ(tally(none.experiments[0], measured.experiments[0]).unmeasured, 1);
}

TEST_F(MeasureRuns, AFigureThatARunDoesNotHaveIsAnError) {
  const auto refused = [&](const std::string& metric, const std::vector<std::string>& parts) {
    const Page page = experiment("runs = [\"a\"]\nfigures = [{name = \"x\", metric = \"" + metric + "\"}]\n");
    expect_error([&] { measure(page); }, parts, ExitCode::usage);
  };
  refused("gce.tset.sse",
          {"page.toml:5: the run a has not measured 'gce.tset.sse' (did you mean 'gce.test.sse'?)",
           "whence results --metrics"});
  refused("flip_rate", {"has not measured 'flip_rate'"});
}

TEST_F(MeasureRuns, ASeedCountsOnce) {
  write_run(runs() / "again", {.seed = 1});
  const Page page = experiment("runs = [\"b\", \"again\"]\n");
  expect_error([&] { measure(page); }, {"page.toml:2", "b and again", "seed 1"}, ExitCode::usage);
}

TEST_F(MeasureRuns, RunsOfAnotherRecipeAreNamed) {
  write_run(runs() / "longer", {.seed = 7, .setting = "explanation.steps=200"});
  const Page page = experiment("recipe = \"recipe.toml\"\nruns = [\"a\", \"longer\"]\n");
  EXPECT_EQ(measure(page).experiments[0].differences,
            std::vector<std::string>{"explanation.steps is 200, in the recipe 100 (longer)"});
  const Page twice = experiment(
      "recipe = \"recipe.toml\"\nset = [\"run.seed=0\", \"explanation.lambda=0.5\"]\nruns = [\"longer\"]\n");
  const std::vector<std::string> differences = measure(twice).experiments[0].differences;
  ASSERT_EQ(differences.size(), 1U) << "a sentence for runs that differ alike";
  EXPECT_NE(differences[0].find("; explanation.steps is 200, in the recipe 100 (longer)"), std::string::npos);
  const Page same =
      experiment("recipe = \"recipe.toml\"\nset = [\"explanation.steps=200\"]\nruns = [\"longer\"]\n");
  EXPECT_TRUE(measure(same).experiments[0].differences.empty());
  const Page absent = experiment("recipe = \"nowhere.toml\"\nruns = []\n");
  expect_error([&] { measure(absent); }, {"nowhere.toml"});
}

TEST_F(MeasureRuns, ASelectionIsReadLikeARun) {
  const auto write_selection = [&](const nlohmann::json& chosen) {
    write_json(runs() / "s/selection.json", {{"chosen", chosen}, {"seconds", 90}});
    return measure(
        experiment("recipe = \"recipe.toml\"\nruns = [\"s\"]\nfigures = [{name = \"K\", metric = "
                   "\"chosen.causal\"}, {name = \"t\", metric = \"seconds\", unit = \"min\"}]\n"));
  };
  const Measured measured = write_selection({{"causal", 2}});
  EXPECT_EQ(measured.experiments[0].figures[0].spread.median, 2);
  EXPECT_EQ(measured.experiments[0].figures[1].spread.median, 1.5);
  EXPECT_TRUE(write_selection(nullptr).experiments[0].runs.empty());
}

TEST_F(MeasureRuns, EveryRecipeIsTimedOnce) {
  write_file(folder_ / "other.toml", kRecipe);
  const Page page = load(R"(title = "T"
[[experiment]]
name = "a"
recipe = "recipe.toml"
runs = ["a", "b", "c"]
[[experiment]]
name = "again"
recipe = "./recipe.toml"
runs = ["a"]
[[experiment]]
name = "other"
recipe = "other.toml"
runs = ["nowhere"]
[[experiment]]
name = "choice"
runs = ["selection"]
)");
  write_json(runs() / "selection/selection.json", {{"chosen", {{"causal", 2}}}, {"seconds", 1800}});
  const TotalTime total = total_time(page, measure(page));
  EXPECT_DOUBLE_EQ(total.hours, 1.5);
  EXPECT_DOUBLE_EQ(total.hours_of_all, 2);
  EXPECT_EQ(total.recipes, 2);
  EXPECT_EQ(total.measured, 1);
}

}  // namespace
}  // namespace whence::results
