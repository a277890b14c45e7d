#include "unit/results/support.h"

namespace whence::results {
namespace {

using test::expect_error;

TEST(Bar, ReadsBothKinds) {
  const auto least = parse_bar(">= 1.069"), most = parse_bar(" <=-2e-1 ");
  ASSERT_TRUE(least && most);
  EXPECT_TRUE(least->at_least);
  EXPECT_EQ(least->value, 1.069);
  EXPECT_FALSE(most->at_least);
  EXPECT_EQ(most->value, -0.2);
  for (const char* wrong :
       {"", ">=", "1", "> 1", "= 1", ">= 1 %", ">= x", "<= nan", "<= inf", "=> 1", ">= 1,2"})
    EXPECT_FALSE(parse_bar(wrong)) << wrong;
}

TEST(Bar, IsReachedAtItsValue) {
  const Bar least{true, 2}, most{false, 2};
  EXPECT_TRUE(least.reached_by(2) && most.reached_by(2));
  EXPECT_FALSE(least.reached_by(1.999) || most.reached_by(2.001));
  EXPECT_DOUBLE_EQ(least.missed_by(1.5), 0.5);
  EXPECT_DOUBLE_EQ(most.missed_by(2.5), 0.5);
}

using LoadPage = ResultsTest;

TEST_F(LoadPage, ReadsEverything) {
  const Page page = load(R"(
title = "My results"
introduction = "Read this."
hours = "<= 8"
[[experiment]]
name = "MNIST: 3, 8"
recipe = "recipe.toml"
set = ["explanation.causal=2"]
source = "a text"
stated = "something"
remark = "besides"
shortfall = "because"
runs = ["a", "b"]
figures = [
  {metric = "bound", bar = "<= 22.1", reference = 22.1},
  {metric = "accuracy", name = "right", unit = "", digits = 1, stated = "nearly all"},
]
[[experiment.pictures]]
file = "figures/sweep.png"
caption = "a sweep"
run = "b"
)");
  EXPECT_EQ(page.title, "My results");
  EXPECT_EQ(page.hours->value, 8);
  ASSERT_EQ(page.experiments.size(), 1u);
  const Experiment& experiment = page.experiments.front();
  EXPECT_EQ(experiment.anchor(), "mnist-3-8");
  EXPECT_EQ(experiment.recipe, folder_ / "recipe.toml");
  EXPECT_EQ(experiment.runs, (std::vector<std::string>{"a", "b"}));
  const Figure &bound = experiment.figures[0], &accuracy = experiment.figures[1];
  EXPECT_EQ(bound.name, "SSE + KL");
  EXPECT_EQ(bound.digits, 2);
  EXPECT_EQ(*bound.reference.number, 22.1);
  EXPECT_EQ(accuracy.name, "right");
  EXPECT_EQ(accuracy.unit, "");
  EXPECT_EQ(accuracy.digits, 1);
  EXPECT_EQ(accuracy.stated.words, "nearly all");
  EXPECT_EQ(experiment.pictures[0].run, "b");
  EXPECT_EQ(experiment.shortfall + experiment.remark, "becausebesides");
}

TEST_F(LoadPage, ErrorsSayWhereAndWhat) {
  const auto refused = [&](const std::string& text, const std::vector<std::string>& parts) {
    SCOPED_TRACE(text);
    expect_error([&] { load(text); }, parts, ExitCode::usage);
  };
  const std::string begin = "title = \"T\"\n[[experiment]]\nname = \"x\"\nruns = []\n";
  refused("title = ", {"page.toml:1", "not a page of results"});
  refused("titel = \"T\"", {"page.toml:1", "no key 'titel' (did you mean 'title'?)"});
  refused("introduction = \"T\"", {"page.toml:", "lacks title"});
  refused("title = 3", {"page.toml:1: title must be text"});
  refused("title = \"T\"\nexperiment = 3", {"page.toml:2: experiment must be tables"});
  refused("title = \"T\"\n[[experiment]]\nname = \"x\"\n", {"page.toml:2: an experiment lacks runs"});
  refused(begin + "remarks = \"x\"", {"page.toml:5", "did you mean 'remark'?"});
  refused(begin + "figures = [{metric = \"bound\", bar = \"about 3\"}]",
          {"page.toml:5: bar is 'about 3', but must be such as"});
  refused(begin + "figures = [{metric = \"bound\", bar = 3}]", {"page.toml:5: bar must be such as"});
  refused(begin + "figures = [{metric = \"bound\", digits = 12}]", {"digits must be an integer from 0 to 9"});
  refused(begin + "figures = [{metric = \"larget_beta\"}]", {"did you mean 'largest_beta'?", "page.toml:5"});
  refused(begin + "figures = [{name = \"C\"}]", {"a figure lacks metric"});
  refused(begin + "figures = [3]", {"figures must be tables"});
  refused(begin + "pictures = [{file = \"x.png\"}]", {"a picture lacks caption"});
  refused(begin + "[[experiment]]\nname = \"X\"\nruns = []\n", {"page.toml:5", "another experiment's, too"});
  expect_error([&] { load_page(folder_ / "nowhere.toml"); }, {"nowhere.toml"});
}

TEST_F(LoadPage, TheReferenceNamesEveryKeyAndMetric) {
  const std::string text = page_reference();
  for (const char* part :
       {"`title`", "`experiment`", "`pictures`", "`bar`", "`caption`", "`beta_share`", "`MiB`"})
    EXPECT_TRUE(test::contains(text, part));
}

TEST_F(LoadPage, TheProjectsOwnPageIsOne) {
  const Page page = load_page(WHENCE_SOURCE_DIR "/docs/results.toml");
  EXPECT_GE(page.experiments.size(), 17u);
  const Measured none = results::measure(page, runs());  // its recipes are there and its settings fit
  EXPECT_EQ(total_time(page, none).recipes, 21);
}

}  // namespace
}  // namespace whence::results
