#include "unit/results/support.h"

namespace whence::results {
namespace {

using test::contains;

class MarkdownPage : public ResultsTest {
 protected:
  MarkdownPage() {
    write_run(runs() / "a", {.flow = 1.0689999, .sse = 10});
    write_run(runs() / "b", {.flow = 1.0689997, .sse = 12, .seed = 5});
  }
  std::string markdown_of(const Page& page) const { return markdown(page, measure(page), out()); }
};

TEST_F(MarkdownPage, SaysWhatIsReachedAndMissed) {
  const std::string text =
      markdown_of(experiment("recipe = \"recipe.toml\"\nbefore = [\"whence run a.toml\", \"whence export "
                             "runs/a\"]\nsource = \"a | text\"\nstated = \"much\"\nremark = \"A pity.\"\n"
                             "runs = [\"a\", \"b\", \"nowhere\"]\n"
                             "figures = [{metric = \"flow\", bar = \">= 1.069\", reference = 1.07}, "
                             "{metric = \"bound\", bar = \"<= 20\", stated = \"x | y\"}]\n"));
  for (const char* part :
       {"# T\n", "**Bars: 1 reached, 1 missed, 0 not measured yet.**",
        "| [Left or right](#left-or-right) | 2 of 3 | 1 of 2 | I(alpha; Y): 1.069 nats, bar ≥ 1.069 nats |",
        "Recipe: [recipe.toml](../recipe.toml)", "Stated: much\n", "\nA pity.\n",
        "```sh\nwhence run a.toml\nwhence export runs/a\n```\n", "<summary>All 2 bars</summary>",
        "| I(alpha; Y) |  | 1.07 nats | 1.069 nats | 1.069 to 1.069 | ≥ 1.069 nats | **missed** by 2e-07 "
        "nats |",
        "\n| SSE + KL | x \\| y |  | 16.00 | 15.00 to 17.00 | ≤ 20 | reached |\n",
        "| [Left or right](#left-or-right) | SSE + KL | x \\| y |  | 16.00 | 15.00 to 17.00 | ≤ 20 | reached "
        "| 2 of 3 |\n",
        "2 of 3 runs (seed 0, 5)", "Abacus, 2 cores, float32, whence 0.1.0, data as published.",
        "everything 1:00"})
    EXPECT_TRUE(contains(text, part));
  EXPECT_FALSE(contains(text, "another recipe"));
}

TEST_F(MarkdownPage, WhatIsNotMeasuredIsNotReached) {
  const std::string text =
      markdown_of(experiment("runs = [\"nowhere\"]\nfigures = [{metric = \"flow\", bar = \">= -100\"}]\n"
                             "pictures = [{file = \"figures/sweep.png\", caption = \"a sweep\"}]\n"));
  EXPECT_TRUE(contains(text, "| I(alpha; Y) | ≥ -100 nats | not measured yet |"));
  EXPECT_TRUE(contains(text, "\nNot measured yet.\n"));
  EXPECT_TRUE(contains(text, "0 reached, 0 missed, 1 not measured yet"));
  EXPECT_FALSE(contains(text, "!["));
}

TEST_F(MarkdownPage, AShortfallIsExplainedOrSaidNotToBe) {
  const std::string missed = "runs = [\"a\"]\nfigures = [{metric = \"sse\", bar = \"<= 1\"}]\n";
  EXPECT_TRUE(contains(markdown_of(experiment(missed)), "\nWhy it falls short is not explained yet.\n"));
  const std::string text = markdown_of(experiment("shortfall = \"Too few steps.\"\n" + missed));
  EXPECT_TRUE(contains(text, "\nWhy it falls short: Too few steps.\n"));
  EXPECT_FALSE(contains(text, "not explained"));
  const std::string reached = "runs = [\"a\"]\nfigures = [{metric = \"sse\", bar = \"<= 100\"}]\n";
  EXPECT_FALSE(contains(markdown_of(experiment(reached)), "falls short"));
}

TEST_F(MarkdownPage, AShareMissesItsBarByPoints) {
  const std::string text = markdown_of(
      experiment("runs = [\"a\"]\nfigures = [{metric = \"sse\", unit = \"%\", bar = \"<= 900\"}]\n"));
  EXPECT_TRUE(contains(text, "| 1000.00 % | ≤ 900 % | **missed** by 100.00 points |"));
}

TEST_F(MarkdownPage, ColumnsAndSpreadOnlyWhereThereIsSomething) {
  const std::string text = markdown_of(experiment("runs = [\"a\"]\nfigures = [{metric = \"sse\"}]\n"));
  EXPECT_TRUE(contains(text, "|  | measured |\n| --- | --- |\n| SSE | 10.00 |\n"));
  EXPECT_TRUE(contains(text, "| 1 of 1 | no bars |"));
}

TEST_F(MarkdownPage, RunsOfAnotherRecipeAreSaidInBold) {
  write_run(runs() / "c", {.seed = 9, .setting = "explanation.steps=200"});
  EXPECT_TRUE(
      contains(markdown_of(experiment("recipe = \"recipe.toml\"\nruns = [\"c\"]\n")),
               "**The runs are of another recipe**: explanation.steps is 200, in the recipe 100 (c)."));
}

TEST_F(MarkdownPage, HoursAreHeldToTheirBar) {
  const auto line = [&](const std::string& bar, const std::string& more) {
    return markdown_of(load("title = \"T\"\nhours = \"" + bar +
                            "\"\n[[experiment]]\nname = \"a\"\nrecipe = \"recipe.toml\"\nruns = [\"a\"]\n" +
                            more));
  };
  write_run(runs() / "a", {.seconds = 7200});
  write_file(folder_ / "other.toml", kRecipe);
  const std::string unmeasured = "[[experiment]]\nname = \"b\"\nrecipe = \"other.toml\"\nruns = []\n";
  EXPECT_TRUE(contains(line("<= 8", ""),
                       "each run once: 2.00 hours; bar ≤ 8 h: reached. With every "
                       "variation and selection below, each once: 2.00 hours."));
  EXPECT_TRUE(contains(line("<= 1.5", ""), "2.00 hours; bar ≤ 1.5 h: **missed** by 0.5 h."));
  EXPECT_TRUE(
      contains(line("<= 8", unmeasured), "for the 1 of 2 that are measured; bar ≤ 8 h: not measured yet."));
  EXPECT_TRUE(contains(line("<= 8", unmeasured), "each once (1 not measured yet): 2.00 hours."));
  EXPECT_TRUE(contains(line("<= 1", unmeasured), "**missed** by 1 h."));
}

}  // namespace
}  // namespace whence::results
