#include <gtest/gtest.h>

#include "report/figures.h"
#include "unit/report/picture.h"
#include "whence/core/error.h"
#include "whence/core/files.h"

namespace whence::report {
namespace {

constexpr Pixel magenta{255, 0, 255}, white{255, 255, 255};

/// One pixel in the middle of each image is magenta; everything else is teal.
ImageGrid grid_of(std::int64_t rows, std::int64_t columns) {
  ImageGrid grid;
  grid.images = at::zeros({rows, columns, 3, 5, 5});
  grid.images.select(2, 1).fill_(0.5);
  grid.images.select(2, 2).fill_(0.5);
  const auto centre = grid.images.select(4, 2).select(3, 2);
  centre.copy_(at::tensor({1.0f, 0.0f, 1.0f}).expand({rows, columns, 3}));
  return grid;
}

ImageGrid classified(std::int64_t index, std::int64_t class_count) {
  ImageGrid grid = grid_of(1, 1);
  grid.classes = at::full({1, 1}, index, at::kLong);
  for (std::int64_t i = 0; i < class_count; ++i) grid.class_names.push_back("class " + std::to_string(i));
  return grid;
}

TEST(ImageGrid, PixelsBecomeHardSquaresAtTwoPixelsAPoint) {
  const test::TemporaryFolder folder;
  ImageGrid grid = grid_of(1, 1);
  grid.scale = 8;
  draw(grid, folder / "grid");
  const Box box = find(read_png(folder / "grid.png"), magenta);
  EXPECT_EQ(box.width(), 16);
  EXPECT_EQ(box.height(), 16);
  EXPECT_EQ(box.count, 16 * 16);
}

TEST(ImageGrid, GreyImagesAndValuesOutsideTheRangeAreDrawnClamped) {
  const test::TemporaryFolder folder;
  ImageGrid grid;
  grid.images = at::tensor({-3.0f, 0.2f, 9.0f, std::nanf("")}).reshape({1, 1, 1, 2, 2});
  grid.scale = 10;
  draw(grid, folder / "grid");
  const Picture picture = read_png(folder / "grid.png");
  EXPECT_EQ(find(picture, {0, 0, 0}).count, 2 * 20 * 20);
  EXPECT_EQ(find(picture, {51, 51, 51}).count, 20 * 20);
}

TEST(ImageGrid, BorderHasTheColourOfTheClassWithWhiteInside) {
  const test::TemporaryFolder folder;
  for (const std::int64_t index : {0, 1, 2}) {
    draw(classified(index, 3), folder / "grid");
    const Picture picture = read_png(folder / "grid.png");
    const Box teal = find(picture, {0, 128, 128});
    const int y = (teal.top + teal.bottom) / 2;
    EXPECT_EQ(picture.at(teal.left - 1, y), white);
    int x = teal.left - 1;
    while (picture.at(x, y) == white) --x;
    EXPECT_EQ(picture.at(x, y), pixel(class_colour(index))) << index;
  }
}

TEST(ImageGrid, ClassesOfOneColourDifferInTheirMark) {
  const test::TemporaryFolder folder;
  draw(classified(0, 11), folder / "first");
  draw(classified(10, 11), folder / "eleventh");
  const Picture first = read_png(folder / "first.png"), eleventh = read_png(folder / "eleventh.png");
  ASSERT_EQ(hex(class_colour(0)), hex(class_colour(10)));
  EXPECT_NE(first.pixels, eleventh.pixels);
}

TEST(ImageGrid, EveryImageOfTheGridIsDrawn) {
  const test::TemporaryFolder folder;
  ImageGrid grid = grid_of(3, 25);
  grid.scale = 2;
  draw(grid, folder / "grid");
  EXPECT_EQ(find(read_png(folder / "grid.png"), magenta).count, 3 * 25 * 4 * 4);
}

TEST(ImageGrid, SvgIsWellFormedWhateverTheLabelsSay) {
  const test::TemporaryFolder folder;
  ImageGrid grid = classified(1, 2);
  grid.title = "<script>&\"'</title> ** \xFF";
  grid.class_names = {"a<b", "x & y"};
  grid.row_labels = {"]]>"};
  grid.column_labels = {"<!--"};
  grid.column_axis = "&amp;";
  grid.probabilities = at::full({1, 1}, 0.25);
  draw(grid, folder / "grid");
  const auto texts = texts_of(folder / "grid.svg");
  if (!texts) GTEST_SKIP() << "no Python to read XML with";
  EXPECT_NE(texts->find("<script>&\"'</title> ** \xEF\xBF\xBD"), std::string::npos) << *texts;
}

TEST(ImageGrid, PngAndSvgHaveOneSizeAndTheSameFigureIsTheSameFile) {
  const test::TemporaryFolder folder;
  ImageGrid grid = classified(1, 2);
  grid.title = "title";
  draw(grid, folder / "first");
  draw(grid, folder / "second");
  EXPECT_EQ(read_file(folder / "first.svg"), read_file(folder / "second.svg"));
  EXPECT_EQ(read_file(folder / "first.png"), read_file(folder / "second.png"));
  const Picture picture = read_png(folder / "first.png");
  const std::string size = fmt::format("viewBox=\"0 0 {} {}\"", picture.width / 2, picture.height / 2);
  EXPECT_NE(read_file(folder / "first.svg").find(size), std::string::npos) << size;
}

/// The bytes of an SVG's only image.
std::string embedded_png(const std::string& svg) {
  constexpr std::string_view letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  constexpr std::string_view start = "data:image/png;base64,";
  std::string bytes;
  unsigned bits = 0;
  int count = 0;
  for (std::size_t at = svg.find(start) + start.size(); letters.find(svg.at(at)) != std::string_view::npos;
       ++at) {
    bits = bits << 6 | static_cast<unsigned>(letters.find(svg[at]));
    count += 6;
    if (count < 8) continue;
    count -= 8;
    bytes.push_back(static_cast<char>(bits >> count & 255U));
  }
  return bytes;
}

TEST(ImageGrid, SvgStoresGreyImagesInOneChannelPixelForPixel) {
  const test::TemporaryFolder folder;
  constexpr std::size_t colour_type = 25;  // of a PNG's bytes: 0 is grey, 2 red, green and blue
  for (const bool grey : {true, false}) {
    ImageGrid grid;
    grid.images = at::arange(12, at::kFloat)
                      .mul(20.0 / 255)
                      .reshape({1, 1, 1, 3, 4})
                      .expand({1, 1, grey ? 1 : 3, 3, 4});
    draw(grid, folder / "grid");
    const std::string png = embedded_png(read_file(folder / "grid.svg"));
    EXPECT_EQ(png.at(colour_type), grey ? 0 : 2);
    write_file(folder / "image.png", png);
    const Picture picture = read_png(folder / "image.png");
    ASSERT_EQ(picture.pixels.size(), 12U);
    EXPECT_EQ(picture.width, 4);
    for (int i = 0; i < 12; ++i) {
      EXPECT_EQ(picture.pixels[static_cast<std::size_t>(i)], (Pixel{20 * i, 20 * i, 20 * i}));
    }
  }
}

TEST(ImageGrid, AStemMayHaveADot) {
  const test::TemporaryFolder folder;
  draw(grid_of(1, 1), folder / "lambda-0.05");
  EXPECT_TRUE(std::filesystem::exists(folder / "lambda-0.05.png"));
  EXPECT_TRUE(std::filesystem::exists(folder / "lambda-0.05.svg"));
}

TEST(ImageGrid, WrongShapesAreProgrammersErrors) {
  const test::TemporaryFolder folder;
  const auto refused = [&](const std::function<void(ImageGrid&)>& spoil) {
    ImageGrid grid = grid_of(2, 3);
    grid.classes = at::zeros({2, 3}, at::kLong);
    grid.class_names = {"only"};
    spoil(grid);
    EXPECT_THROW(draw(grid, folder / "grid"), c10::Error);
  };
  refused([](ImageGrid& g) { g.images = at::Tensor(); });
  refused([](ImageGrid& g) { g.images = at::zeros({2, 3, 5, 5}); });
  refused([](ImageGrid& g) { g.images = at::zeros({2, 3, 2, 5, 5}); });
  refused([](ImageGrid& g) { g.images = at::zeros({0, 3, 1, 5, 5}); });
  refused([](ImageGrid& g) { g.classes = at::zeros({3, 2}, at::kLong); });
  refused([](ImageGrid& g) { g.classes = at::zeros({2, 3}); });
  refused([](ImageGrid& g) { g.classes = at::ones({2, 3}, at::kLong); });
  refused([](ImageGrid& g) { g.classes = at::full({2, 3}, -1, at::kLong); });
  refused([](ImageGrid& g) { g.probabilities = at::zeros({2}); });
  refused([](ImageGrid& g) { g.row_labels = {"one"}; });
  refused([](ImageGrid& g) { g.column_labels = {"one"}; });
  EXPECT_FALSE(std::filesystem::exists(folder / "grid.png"));
}

TEST(ImageGrid, ColumnLabelsAreThinnedOutOnlyWhereTheyWouldTouch) {
  const test::TemporaryFolder folder;
  const auto drawn = [&](const std::vector<std::string>& labels) {
    ImageGrid grid = grid_of(1, static_cast<std::int64_t>(labels.size()));
    grid.scale = 8;  // cells of 44 points, labels of some 60
    grid.column_labels = labels;
    draw(grid, folder / "grid");
    return read_file(folder / "grid.svg");
  };
  const std::string label = "automobile", every_second = drawn({label, "", label, "", label});
  EXPECT_EQ(drawn({label, label, label, label, label}), every_second);
  EXPECT_NE(drawn({label, "", "", "", label}), every_second);
  const auto height = [](const std::string& svg) { return svg.substr(svg.find("height="), 15); };
  EXPECT_NE(height(drawn({"cat to dog", "cat to dog"})), height(drawn({"cat to dog", ""})))
      << "words take lines of their own";
}

TEST(ImageGrid, SaysWhatBordersAndRowLabelsTell) {
  const test::TemporaryFolder folder;
  ImageGrid grid = classified(1, 2);
  grid.scale = 100;
  grid.row_labels = {"a"};
  grid.column_labels = {"0"};
  draw(grid, folder / "plain");
  grid.legend_name = "The classifier's answer:";
  grid.row_axis = "true class";
  draw(grid, folder / "named");
  const Box plain = find(read_png(folder / "plain.png"), magenta),
            named = find(read_png(folder / "named.png"), magenta);
  EXPECT_GT(named.left, plain.left) << "the axis of the rows has room";
  EXPECT_EQ(named.top, plain.top) << "the legend has one line still";
}

TEST(ImageGrid, AFigureOfOneColumnHasRoomForItsLegend) {
  const test::TemporaryFolder folder;
  ImageGrid grid = classified(0, 2);
  draw(grid, folder / "narrow");
  grid.legend_name = "The classifier's answer (below: its probability):";
  grid.class_names = {"a class of some length", "b"};
  draw(grid, folder / "named");
  EXPECT_GT(read_png(folder / "named.png").width, read_png(folder / "narrow.png").width);
}

TEST(ImageGrid, AFolderThatCannotBeIsOneSentence) {
  const test::TemporaryFolder folder;
  write_file(folder / "file", "not a folder");
  EXPECT_THROW(draw(grid_of(1, 1), folder / "file" / "grid"), Error);
}

}  // namespace
}  // namespace whence::report
