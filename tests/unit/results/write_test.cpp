#include "unit/results/support.h"
#include "whence/run/log.h"

namespace whence::results {
namespace {

using test::content;
using test::expect_error;
namespace fs = std::filesystem;

class WriteResults : public ResultsTest {
 protected:
  WriteResults() {
    write_run(runs() / "a", {.seed = 0});
    write_run(runs() / "b", {.seed = 1});
  }
  Page with_picture(const std::string& file, const std::string& more = "") const {
    return experiment("runs = [\"nowhere\", \"a\", \"b\"]\npictures = [{file = \"" + file +
                      "\", caption = \"c\"" + more + "}]\n");
  }
  /// An old page is left as it was, and nothing is written beside it.
  void expect_refused(const Page& page, const std::vector<std::string>& parts,
                      ExitCode code = ExitCode::usage) {
    write_file(out(), "old");
    expect_error([&] { write_results(page, runs(), out()); }, parts, code);
    EXPECT_EQ(content(out()), "old");
    EXPECT_EQ(test::names_in(out().parent_path()), std::vector<std::string>{"page.md"});
  }
};

TEST_F(WriteResults, PicturesOfTheFirstFinishedRunLieBesideThePage) {
  const Page page = with_picture("figures/sweep.png");
  const Written written = write_results(page, runs(), out());
  EXPECT_EQ(content(folder_ / "docs/page/left-or-right/sweep.png"), "sweep of seed 0");
  EXPECT_TRUE(test::contains(content(out()), "![c](page/left-or-right/sweep.png)"));
  EXPECT_EQ(content(out()), markdown(page, measure(page), out()));
  EXPECT_TRUE(written.unused.empty());
}

TEST_F(WriteResults, APictureMayBeOfAnotherRun) {
  write_results(with_picture("figures/sweep.png", ", run = \"b\""), runs(), out());
  EXPECT_EQ(content(folder_ / "docs/page/left-or-right/b-sweep.png"), "sweep of seed 1");
}

TEST_F(WriteResults, CurvesOfSeveralRunsAreDrawnOnceAllAreFinished) {
  const auto log = [&](const char* run, double c) {
    for (int step = 1; step <= 3; ++step)
      run::ProgressLog(runs() / run / "log.jsonl")
          .append({"explanation", step, 3, {{"C", c * step}, {"SSE", 9}}});
  };
  const Page page = with_picture("curves.svg", ", curves = [\"a\", \"c\"]");
  Page both = experiment("runs = [\"a\", \"c\"]\n");
  both.experiments[0].pictures = page.experiments[0].pictures;
  log("a", 1);
  write_results(both, runs(), out());
  EXPECT_FALSE(test::contains(content(out()), "curves.svg"));
  write_run(runs() / "c", {.seed = 2, .setting = "explanation.lambda=0.5"});
  log("c", 2);
  write_results(both, runs(), out());
  EXPECT_TRUE(test::contains(content(out()), "![c](page/left-or-right/curves.svg)"));
  const std::string drawn = content(folder_ / "docs/page/left-or-right/curves.svg");
  EXPECT_TRUE(test::contains(drawn, "lambda = 0.05"));
  EXPECT_TRUE(test::contains(drawn, "lambda = 0.5"));
  fs::remove_all(runs() / "c");
  write_results(both, runs(), out());
  EXPECT_EQ(content(folder_ / "docs/page/left-or-right/curves.svg"), drawn);
}

TEST_F(WriteResults, PicturesOfAnEarlierPageAreNamedAndKept) {
  write_results(with_picture("figures/sweep.png"), runs(), out());
  const Written written = write_results(experiment("runs = [\"a\"]\n"), runs(), out());
  EXPECT_EQ(written.unused, std::vector<fs::path>{folder_ / "docs/page/left-or-right/sweep.png"});
  EXPECT_TRUE(fs::exists(written.unused.front()));
}

TEST_F(WriteResults, ARunWhoseFolderIsGoneIsShownAsItWas) {
  const Page page = experiment(
      "recipe = \"recipe.toml\"\nruns = [\"a\", \"b\"]\nfigures = [{metric = \"flow\", bar = \">= 1\"}]\n"
      "pictures = [{file = \"figures/sweep.png\", caption = \"c\"}]\n");
  EXPECT_TRUE(write_results(page, runs(), out()).recorded.empty());
  const std::string whole = content(out());
  fs::remove_all(runs() / "a");
  write_run(runs() / "b", {.flow = 3, .seed = 1});
  const Written written = write_results(page, runs(), out());
  EXPECT_EQ(written.recorded, std::vector<std::string>{"a"});
  EXPECT_TRUE(written.unused.empty());
  EXPECT_TRUE(test::contains(content(out()), "| 2.000 nats | 1.000 to 3.000 |"));
  EXPECT_EQ(content(folder_ / "docs/page/left-or-right/sweep.png"), "sweep of seed 0");

  write_run(runs() / "b", {.seed = 1});
  write_results(page, runs(), out());
  fs::remove_all(runs() / "b");
  write_results(page, runs(), out());
  EXPECT_EQ(content(out()), whole);

  // It is still held against the recipe as it is now, and can only show what it was kept for.
  write_file(folder_ / "recipe.toml", std::string(kRecipe) + "batch = 7\n");
  write_results(page, runs(), out());
  EXPECT_TRUE(test::contains(content(out()), "explanation.batch is 64, in the recipe 7 (a, b)"));
  write_file(folder_ / "recipe.toml", kRecipe);
  write_results(page, runs(), out());

  // A key that has come since the record was written was its default.
  const fs::path record = folder_ / "docs/page/runs.jsonl";
  std::string lines = content(record);
  const std::string key = "\"explanation.batch\":64,";
  ASSERT_TRUE(test::contains(lines, key));
  for (std::size_t at = lines.find(key); at != std::string::npos; at = lines.find(key))
    lines.erase(at, key.size());
  write_file(record, lines);
  write_results(page, runs(), out());
  EXPECT_EQ(content(out()), whole);
  expect_error(
      [&] { write_results(experiment("runs = [\"a\"]\nfigures = [{metric = \"sse\"}]\n"), runs(), out()); },
      {"page.toml:5: the run a has not measured 'sse'", "record", "measure it again"}, ExitCode::usage);
  fs::remove(folder_ / "docs/page/left-or-right/sweep.png");
  expect_error([&] { write_results(page, runs(), out()); },
               {"page.toml:7", "record alone", "sweep.png is not there"}, ExitCode::usage);
  write_file(folder_ / "docs/page/runs.jsonl", "{\"run\": \"a\"}\n");
  expect_error([&] { write_results(page, runs(), out()); }, {"runs.jsonl:1: not a line"});
  EXPECT_EQ(content(out()), whole);
}

TEST_F(WriteResults, AFigureThatARunOfTheRecordLacksIsOfTheOthers) {
  const auto page = [&](const std::string& figure) {
    return experiment("runs = [\"a\", \"b\"]\nfigures = [{" + figure + "}]\n");
  };
  write_results(page("metric = \"flow\""), runs(), out());
  fs::remove_all(runs() / "a");
  write_run(runs() / "b", {.sse = 12, .seed = 1});
  write_results(page("metric = \"sse\""), runs(), out());
  EXPECT_TRUE(test::contains(content(out()), "| SSE (of 1 of 2 runs) | 12.00 |"));
  expect_error([&] { write_results(page("metric = \"sse\", bar = \"<= 20\""), runs(), out()); },
               {"the run a has not measured 'sse'", "measure it again"}, ExitCode::usage);
}

TEST_F(WriteResults, TheWholePageOrNone) {
  expect_refused(with_picture("figures/swep.png"), {"page.toml:5: the run a has no figures/swep.png"});
  expect_refused(with_picture("metrics.json"), {"page.toml:5: metrics.json is neither .png, .svg nor .jpg"});
  write_file(runs() / "a/figures/large.png", std::string(kPictureBytes + 200000, 'x'));
  expect_refused(with_picture("figures/large.png"), {"large.png has 1.2 MiB", "may have 1;"},
                 ExitCode::failed);
  expect_refused(experiment("runs = [\"a\"]\nfigures = [{metric = \"flip_rate\"}]\n"), {"flip_rate"});
  std::string same = "{file = \"figures/sweep.png\", caption = \"c\"},";
  expect_refused(experiment("runs = [\"a\"]\npictures = [" + same + same + "]\n"),
                 {"already shows sweep.png"});
}

TEST_F(WriteResults, AllPicturesTogetherHaveALimit) {
  std::string pictures;
  for (int i = 0; i < 16; ++i) {
    write_file(runs() / fmt::format("a/figures/{}.png", i), std::string(kPictureBytes, 'x'));
    pictures += fmt::format("{{file = \"figures/{}.png\", caption = \"c\"}},", i);
  }
  expect_refused(experiment("runs = [\"a\"]\npictures = [" + pictures + "]\n"), {"16.0 MiB together"},
                 ExitCode::failed);
}

TEST_F(WriteResults, OnlyMarkdown) {
  const Page page = experiment("runs = []\n");
  expect_error([&] { write_results(page, runs(), file()); }, {"must end in .md", "page.toml"},
               ExitCode::usage);
}

}  // namespace
}  // namespace whence::results
