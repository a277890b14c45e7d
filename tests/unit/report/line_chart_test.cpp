#include <gtest/gtest.h>

#include <limits>

#include "report/figures.h"
#include "unit/report/picture.h"
#include "whence/core/files.h"

namespace whence::report {
namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

LineChart lines_of(std::vector<Panel> panels) {
  LineChart chart;
  chart.title = "Training";
  chart.horizontal_axis = "step";
  chart.panels = std::move(panels);
  return chart;
}

TEST(LineChart, ASpikeInALongSeriesIsDrawn) {
  const test::TemporaryFolder folder;
  Series series{"loss", {}, {}};
  for (int i = 0; i < 20000; ++i) {
    series.x.push_back(i);
    series.y.push_back(i == 4567 ? 100 : 0);
  }
  draw(lines_of({{"loss", {series}}}), folder / "lines");
  const Picture picture = read_png(folder / "lines.png");
  EXPECT_GT(find(picture, pixel(class_colour(0))).height(), picture.height / 3);
  EXPECT_LT(read_file(folder / "lines.svg").size(), 100000u);
}

TEST(LineChart, ALongSeriesThatBeginsLateKeepsItsLowestAndHighest) {
  const test::TemporaryFolder folder;
  Series series{"leak", {}, {}};
  for (int i = 0; i < 20000; ++i) {
    series.x.push_back(i);
    series.y.push_back(i < 10010 ? nan : i == 10011 ? -100 : i == 10012 ? 100 : 0);
  }
  draw(lines_of({{"leak", {series}}}), folder / "lines");
  const Picture picture = read_png(folder / "lines.png");
  EXPECT_GT(find(picture, pixel(class_colour(0))).height(), picture.height / 3);
}

TEST(LineChart, AMarkedPointOfItsOwnIsSeen) {
  const test::TemporaryFolder folder;
  LineChart chart = lines_of({{"value", {{"a", {3}, {1}}}}});
  draw(chart, folder / "unmarked");
  chart.points = true;
  draw(chart, folder / "marked");
  const auto dots = [&](const char* file) {
    return find(read_png(folder / file), pixel(class_colour(0))).count;
  };
  EXPECT_GT(dots("marked.png"), dots("unmarked.png") + 10);
}

TEST(LineChart, MarksHaveNoLineBetweenThem) {
  const test::TemporaryFolder folder;
  const Series line{"a", {0, 10}, {0, 1}};
  const auto dots = [&](bool marks) {
    draw(lines_of({{"value", {line, {"b", {2, 8}, {1, 0}, marks}}}}), folder / "lines");
    return find(read_png(folder / "lines.png"), pixel(class_colour(1))).count;
  };
  const auto rings = dots(true), crossing = dots(false);
  EXPECT_GT(rings, 60);  // two, and one in the legend
  EXPECT_LT(static_cast<double>(rings), 0.5 * static_cast<double>(crossing));
}

TEST(LineChart, ErrorBarsReachAsFarAsTheErrors) {
  const test::TemporaryFolder folder;
  const auto height = [&](std::vector<double> errors) {
    LineChart chart = lines_of({{"value", {{"a", {1, 2, 3}, {5, 5, 5}, false, std::move(errors)}}}});
    chart.panels[0].series.push_back({"range", {2}, {0}, /*marks=*/true});
    chart.panels[0].reference = 10;
    draw(chart, folder / "lines");
    const Box bars = find(read_png(folder / "lines.png"), pixel(class_colour(0)));
    return bars.height();
  };
  const int small = height({1, 1, 1}), large = height({4, 1, 1});
  // The legend's sample lies far above both: only the lower end moves, by three of the axis's units.
  EXPECT_GT(large, small + 20);
}

TEST(LineChart, ErrorBarsOfSeveralSeriesDoNotHideOneAnother) {
  const test::TemporaryFolder folder;
  for (const bool logarithmic : {false, true}) {
    const Series one{"first", {1, 2}, {5, 5}, false, {3, 3}}, two{"second", {1, 2}, {5, 5}, false, {3, 3}};
    LineChart chart = lines_of({{"value", {one, two}}});
    chart.points = true;
    chart.logarithmic = logarithmic;
    draw(chart, folder / "lines");
    const Picture picture = read_png(folder / "lines.png");
    const int lowest = find(picture, pixel(class_colour(1))).bottom;
    EXPECT_NEAR(find(picture, pixel(class_colour(0))).bottom, lowest, 2) << "logarithmic: " << logarithmic;
  }
}

TEST(LineChart, PanelsOfTheSameSeriesShareALegend) {
  const test::TemporaryFolder folder;
  const Series one{"first run", {0, 1}, {1, 2}}, two{"second run", {0, 1}, {2, 1}};
  const auto times_named = [&](std::vector<Series> below) {
    draw(lines_of({{"C", {one, two}}, {"SSE", std::move(below)}}), folder / "lines");
    const std::string svg = read_file(folder / "lines.svg");
    int times = 0;
    for (auto at = svg.find("second run"); at != std::string::npos; at = svg.find("second run", at + 1))
      ++times;
    return times;
  };
  EXPECT_EQ(times_named({one, two}), 1);
  EXPECT_EQ(times_named({two, one}), 2);
}

TEST(LineChart, AReferenceIsALineAcrossWithItsName) {
  const test::TemporaryFolder folder;
  LineChart chart = lines_of({{"value", {{"a", {0, 1}, {1, 2}}}}});
  draw(chart, folder / "without");
  chart.panels[0].reference = 3;
  chart.panels[0].reference_name = "the limit";
  draw(chart, folder / "with");
  const auto highest = [&](const char* file) {
    return find(read_png(folder / file), pixel(class_colour(0))).top;
  };
  EXPECT_GT(highest("with.png"), highest("without.png") + 20) << "the axis reaches up to the line";
  const auto texts = texts_of(folder / "with.svg");
  if (!texts) GTEST_SKIP() << "no Python to read XML with";
  EXPECT_NE(texts->find("the limit"), std::string::npos);
}

TEST(LineChart, TicksStandWhereTheyAreAsked) {
  const test::TemporaryFolder folder;
  LineChart chart = lines_of({{"value", {{"a", {0.0158, 0.05, 0.158}, {1, 2, 3}}}}});
  chart.logarithmic = true;
  chart.points = true;
  chart.ticks = {0.0158, 0.05, 0.158};
  draw(chart, folder / "lines");
  const auto texts = texts_of(folder / "lines.svg");
  if (!texts) GTEST_SKIP() << "no Python to read XML with";
  for (const char* tick : {"0.0158", "0.05", "0.158"})
    EXPECT_NE(texts->find(tick), std::string::npos) << tick;
  EXPECT_EQ(texts->find("\n0.1\n"), std::string::npos);
}

TEST(LineChart, SeriesDifferInColourAndDashAndAreNamed) {
  const test::TemporaryFolder folder;
  const std::vector<double> x{0, 1, 2, 3};
  draw(lines_of({{"value", {{"first <&>", x, {1, 2, 3, 4}}, {"second", x, {4, 3, 2, 1}}}}}),
       folder / "lines");
  const Picture picture = read_png(folder / "lines.png");
  const Box solid = find(picture, pixel(class_colour(0))), dashed = find(picture, pixel(class_colour(1)));
  EXPECT_GT(dashed.count, 500);
  EXPECT_LT(static_cast<double>(dashed.count), 0.9 * static_cast<double>(solid.count));
  const auto texts = texts_of(folder / "lines.svg");
  if (!texts) GTEST_SKIP() << "no Python to read XML with";
  for (const char* expected : {"first <&>", "second", "value", "step", "Training"})
    EXPECT_NE(texts->find(expected), std::string::npos) << expected;
}

TEST(LineChart, PanelsStandAboveEachOtherOnOneAxis) {
  const test::TemporaryFolder folder;
  const Panel panel{"value", {{"a", {0, 1}, {0, 1}}}};
  draw(lines_of({panel}), folder / "one");
  draw(lines_of({panel, panel, panel}), folder / "three");
  const Picture one = read_png(folder / "one.png"), three = read_png(folder / "three.png");
  EXPECT_EQ(one.width, three.width);
  EXPECT_GT(three.height, 2 * one.height);
}

TEST(LineChart, WhatCannotBeDrawnIsLeftOut) {
  const test::TemporaryFolder folder;
  const Series holes{"holes", {0, 1, 2, 3}, {1, nan, std::numeric_limits<double>::infinity(), 4}};
  const Series nothing{"nothing", {}, {}}, all_nan{"nan", {0, 1}, {nan, nan}},
      negative{"negative", {0, 1}, {-1, 0}};
  const Series constant{"constant", {0, 1}, {5, 5}}, single{"single", {7}, {7}};
  draw(lines_of({{"a", {holes, nothing}},
                 {"b", {}},
                 {"c", {all_nan}},
                 {"d", {negative}, true},
                 {"e", {constant}},
                 {"f", {single}}}),
       folder / "lines");
  EXPECT_GT(find(read_png(folder / "lines.png"), pixel(class_colour(0))).count, 100);
  draw(lines_of({{"only", {all_nan}, true}}), folder / "empty");
  EXPECT_TRUE(std::filesystem::exists(folder / "empty.svg"));
}

TEST(LineChart, LogarithmicAxisMakesAGeometricSeriesStraight) {
  const test::TemporaryFolder folder;
  Series series{"rate", {}, {}};
  for (int i = 0; i <= 100; ++i) {
    series.x.push_back(i);
    series.y.push_back(std::pow(10.0, -i / 25.0));
  }
  draw(lines_of({{"rate", {series}, true}}), folder / "lines");
  const Picture picture = read_png(folder / "lines.png");
  const Box box = find(picture, pixel(class_colour(0)));
  const int middle = (box.left + box.right) / 2;
  int y = box.top;
  while (y < box.bottom && picture.at(middle, y) != pixel(class_colour(0))) ++y;
  EXPECT_NEAR(y, (box.top + box.bottom) / 2.0, 0.03 * box.height());
}

TEST(LineChart, WrongSizesAreProgrammersErrors) {
  const test::TemporaryFolder folder;
  EXPECT_THROW(draw(lines_of({}), folder / "lines"), c10::Error);
  EXPECT_THROW(draw(lines_of({{"a", {{"s", {1, 2}, {1}}}}}), folder / "lines"), c10::Error);
  EXPECT_THROW(draw(lines_of({{"a", {{"s", {1, 2}, {1, 2}, false, {0.1}}}}}), folder / "lines"), c10::Error);
}

}  // namespace
}  // namespace whence::report
