#include <gtest/gtest.h>

#include <cstdlib>
#include <limits>

#include "report/figures.h"
#include "unit/report/picture.h"
#include "whence/core/error.h"
#include "whence/core/files.h"

namespace whence::report {
namespace {

BarChart bars_of(std::vector<Bar> bars) {
  BarChart chart;
  chart.title = "title";
  chart.value_axis = "nats";
  chart.bars = std::move(bars);
  return chart;
}

/// Heights of the solid bars, from left to right, in pixels.
std::vector<int> heights_of(const Picture& picture, const Pixel& colour) {
  std::vector<int> heights;
  bool inside = false;
  for (int x = 0; x < picture.width; ++x) {
    int count = 0;
    for (int y = 0; y < picture.height; ++y) count += picture.at(x, y) == colour ? 1 : 0;
    if (count > 4 && !inside) heights.push_back(0);
    inside = count > 4;
    if (inside) heights.back() = std::max(heights.back(), count);
  }
  return heights;
}

TEST(BarChart, HeightsAreProportionalToValues) {
  const test::TemporaryFolder folder;
  draw(bars_of({{"a", 1, 0, true}, {"b", 0.5, 0, true}, {"c", 0.25, 0, true}}), folder / "bars");
  const auto heights = heights_of(read_png(folder / "bars.png"), pixel(class_colour(0)));
  ASSERT_EQ(heights.size(), 3u);
  EXPECT_GT(heights[0], 400);
  EXPECT_NEAR(heights[1], heights[0] / 2.0, 3);
  EXPECT_NEAR(heights[2], heights[0] / 4.0, 3);
}

TEST(BarChart, OtherBarsHaveAnotherColourAndAreHatched) {
  const test::TemporaryFolder folder;
  draw(bars_of({{"a", 1, 0, false}}), folder / "bars");
  const Picture picture = read_png(folder / "bars.png");
  EXPECT_EQ(find(picture, pixel(class_colour(0))).count, 0);
  const Box box = find(picture, pixel(class_colour(1)));
  EXPECT_GT(box.count, 100);
  EXPECT_LT(static_cast<double>(box.count), 0.7 * box.width() * box.height());
}

TEST(BarChart, PngHasTwoPixelsForEachPointOfTheSvg) {
  const test::TemporaryFolder folder;
  draw(bars_of({{"a", 1, 0, true}}), folder / "bars");
  const Picture picture = read_png(folder / "bars.png");
  const std::string size = fmt::format("viewBox=\"0 0 {} {}\"", picture.width / 2, picture.height / 2);
  EXPECT_NE(read_file(folder / "bars.svg").find(size), std::string::npos) << size;
}

TEST(BarChart, NumbersAboveTheAxisStayBelowTheLegend) {
  const test::TemporaryFolder folder;
  BarChart chart = bars_of({{"a", 0.999, 0.001, true}});
  chart.maximum = 1;
  chart.other_name = "other";
  draw(chart, folder / "bars");
  const Picture picture = read_png(folder / "bars.png");
  const Box bar = find(picture, pixel(class_colour(0))), legend = find(picture, pixel(class_colour(1)));
  constexpr int number = 2 * (4 + 14);  // two pixels for each point
  EXPECT_GT(bar.top - legend.bottom, number);
}

TEST(BarChart, ABarThatLeavesTheAxisIsCutOff) {
  const test::TemporaryFolder folder;
  BarChart chart = bars_of({{"a", 5, 0, true}, {"b", 0.5, 0, true}});
  chart.maximum = 1;
  draw(chart, folder / "bars");
  const auto heights = heights_of(read_png(folder / "bars.png"), pixel(class_colour(0)));
  ASSERT_EQ(heights.size(), 2u);
  EXPECT_NEAR(heights[1], heights[0] / 2.0, 3);
}

/// As many as a chart of many factors shows: alpha, beta, four alphas and twelve betas.
TEST(BarChart, TheNamesOfEighteenFactorsAreWhole) {
  const test::TemporaryFolder folder;
  std::vector<Bar> bars(18, Bar{"beta_38", 0.5, 0.01, false});
  bars[2] = {"alpha_4", 1, 0.01, true};
  draw(bars_of(bars), folder / "bars");
  const std::string picture = read_file(folder / "bars.svg");
  EXPECT_NE(picture.find("alpha_4"), std::string::npos);
  EXPECT_NE(picture.find("beta_38"), std::string::npos);
  EXPECT_EQ(picture.find("…"), std::string::npos);
}

TEST(BarChart, TextsAppearAsTheyAre) {
  const test::TemporaryFolder folder;
  const std::string odd = "\\n{x}_1^2@y`date`100%%g\"q\"'r'<b>&#$z;";
  BarChart chart =
      bars_of({{odd, 1.0694, 0.01, true}, {"beta_1", -0.0001, 0, false}, {"beta_2", -0.5, 0, false}});
  chart.title = "T " + odd;
  chart.value_axis = "V" + odd;
  chart.highlighted_name = "H " + odd;
  chart.other_name = "O " + odd;
  chart.reference = 1.099;
  chart.reference_name = "R " + odd;
  chart.bars.push_back({"last", 0, 0, false});
  draw(chart, folder / "bars");
  const auto texts = texts_of(folder / "bars.svg");
  if (!texts) GTEST_SKIP() << "no Python to read XML with";
  for (const std::string prefix : {"T ", "H ", "O ", "R "})
    EXPECT_NE(texts->find(prefix + odd), std::string::npos) << prefix << "\n" << *texts;
  for (const char* expected : {"beta_1", "1.069", "\n0.000", "−0.500"})
    EXPECT_NE(texts->find(expected), std::string::npos) << *texts;
}

TEST(BarChart, LabelsRunNoCommands) {
  const test::TemporaryFolder folder;
  const std::string file = (folder / "made").string();
  BarChart chart =
      bars_of({{"`touch " + file + "`", 1, 0, true}, {"\"; system \"touch " + file + "\"; #", 1, 0, false}});
  chart.title = "'\nset output '" + file + "'\n!touch " + file + "\n";
  draw(chart, folder / "bars");
  EXPECT_FALSE(std::filesystem::exists(file));
}

TEST(BarChart, TheSameChartIsTheSameFile) {
  const test::TemporaryFolder folder;
  const BarChart chart = bars_of({{"a", 1, 0.1, true}, {"b", 0.5, 0.1, false}});
  draw(chart, folder / "first");
  draw(chart, folder / "second");
  EXPECT_EQ(read_file(folder / "first.svg"), read_file(folder / "second.svg"));
  EXPECT_EQ(read_file(folder / "first.png"), read_file(folder / "second.png"));
}

TEST(BarChart, ValuesThatAreNoNumbersAreSaidAndNotDrawn) {
  const test::TemporaryFolder folder;
  constexpr double nan = std::numeric_limits<double>::quiet_NaN(),
                   infinity = std::numeric_limits<double>::infinity();
  draw(bars_of({{"a", nan, nan, true}, {"b", infinity, 1, true}, {"c", 0, infinity, false}}),
       folder / "bars");
  const auto texts = texts_of(folder / "bars.svg");
  if (!texts) GTEST_SKIP() << "no Python to read XML with";
  EXPECT_NE(texts->find("nan"), std::string::npos);
  EXPECT_NE(texts->find("inf"), std::string::npos);
}

TEST(BarChart, NoBarsAndWrongFormatsAreProgrammersErrors) {
  const test::TemporaryFolder folder;
  EXPECT_THROW(draw(bars_of({}), folder / "bars"), c10::Error);
  for (const char* format : {"", "3", "%s", "%d", "%.3f%.3f", "%n", "%", "%*f", "%ld"}) {
    BarChart chart = bars_of({{"a", 1, 0, true}});
    chart.value_format = format;
    EXPECT_THROW(draw(chart, folder / "bars"), c10::Error) << format;
  }
  EXPECT_FALSE(std::filesystem::exists(folder / "bars.png"));
}

TEST(BarChart, MissingGnuplotIsOneSentenceThatNamesThePackage) {
  const test::TemporaryFolder folder;
  const std::string path = std::getenv("PATH");
  setenv("PATH", (folder / "nothing").c_str(), 1);
  std::string sentence;
  try {
    draw(bars_of({{"a", 1, 0, true}}), folder / "bars");
  } catch (const Error& error) {
    sentence = error.what();
  }
  setenv("PATH", path.c_str(), 1);
  EXPECT_NE(sentence.find("gnuplot-nox"), std::string::npos) << sentence;
  EXPECT_EQ(sentence.find('\n'), std::string::npos);
  EXPECT_FALSE(std::filesystem::exists(folder / "bars.png"));
}

TEST(BarChart, AFolderThatCannotBeIsOneSentence) {
  const test::TemporaryFolder folder;
  write_file(folder / "file", "not a folder");
  EXPECT_THROW(draw(bars_of({{"a", 1, 0, true}}), folder / "file" / "bars"), Error);
}

}  // namespace
}  // namespace whence::report
