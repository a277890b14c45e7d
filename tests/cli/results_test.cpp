// whence results from a real run, and what it refuses.
#include "cli/program.h"

namespace whence {
namespace {

using test::contains;
using test_support::is_error;
using test_support::Workplace;
namespace fs = std::filesystem;

class ResultsProgram : public ::testing::Test {
 protected:
  ResultsProgram() { test_support::write_squares_recipe(workplace_.path()); }

  void write_page(const std::string& figure) const {
    write_file(workplace_ / "page.toml",
               "title = \"Squares\"\n[[experiment]]\nname = \"Left or right\"\nrecipe = "
               "\"recipe-of-squares.toml\"\nruns = [\"squares\", \"squares-seed1\"]\nfigures = [{" +
                   figure +
                   "}]\npictures = [{file = \"figures/information-flow.png\", caption = \"flow\"}]\n");
  }

  Workplace workplace_;
};

TEST_F(ResultsProgram, MakesAPageOfARun) {
  workplace_.must_run({"run", "recipe-of-squares.toml", "--out", "runs/squares", "--quiet"});
  write_page("metric = \"accuracy\", bar = \">= 101\"");
  const auto outcome = workplace_.must_run({"results", "page.toml"});
  EXPECT_EQ(outcome.out, "page.md: bars: 0 reached, 1 missed, 0 not measured yet\n");
  EXPECT_EQ(outcome.err, "");
  const std::string page = read_file(workplace_ / "page.md");
  for (const char* part : {"# Squares", "1 of 2 runs (seed 0)", "**missed** by",
                           "[recipe-of-squares.toml](recipe-of-squares.toml)"})
    EXPECT_TRUE(contains(page, part));
  EXPECT_FALSE(contains(page, "another recipe"));
  EXPECT_EQ(read_file(workplace_ / "page/left-or-right/information-flow.png"),
            read_file(workplace_ / "runs/squares/figures/information-flow.png"));

  const std::string metrics = workplace_.must_run({"results", "--metrics", "runs/squares"}).out;
  for (const char* name : {"bound ", "brightness ", "gce.brightness.factors.alpha_1.generated "})
    EXPECT_TRUE(contains(metrics, name));
  EXPECT_TRUE(
      contains(read_file(workplace_ / "runs/squares/report.html"), "with brightness (mean intensity)"));

  write_page("metric = \"gce.tset.sse\", name = \"x\"");
  EXPECT_TRUE(is_error(workplace_.run({"results", "page.toml"}), 2, "did you mean 'gce.test.sse'?"));
  EXPECT_EQ(read_file(workplace_ / "page.md"), page);
}

TEST_F(ResultsProgram, RefusesInOneSentence) {
  fs::create_directory(workplace_ / "runs");
  EXPECT_TRUE(is_error(workplace_.run({"results"}), 2, "--reference"));
  EXPECT_TRUE(is_error(workplace_.run({"results", "nowhere.toml"}), 1, "nowhere.toml"));
  EXPECT_TRUE(is_error(workplace_.run({"results", "--metrics", "nowhere"}), 1, "nowhere"));
  write_page("metric = \"accuracy\", bar = \"101\"");
  EXPECT_TRUE(is_error(workplace_.run({"results", "page.toml"}), 2, "page.toml:6: bar is '101'"));
  write_page("metric = \"acuracy\"");
  EXPECT_TRUE(is_error(workplace_.run({"results", "page.toml"}), 2, "did you mean 'accuracy'?"));
  write_page("metric = \"accuracy\"");
  EXPECT_TRUE(is_error(workplace_.run({"results", "page.toml", "--runs", "elsewhere"}), 2, "--runs"));
  EXPECT_TRUE(is_error(workplace_.run({"results", "page.toml", "--out", "page.html"}), 2, ".md"));
  EXPECT_FALSE(fs::exists(workplace_ / "page.md"));
}

}  // namespace
}  // namespace whence
