#include "whence/data/dataset.h"

#include <gtest/gtest.h>

#include <set>

#include "support/errors.h"
#include "support/files.h"
#include "unit/data/support.h"
#include "whence/core/random.h"

namespace whence::data {
namespace {

using whence::test::expect_error;
using whence::test::TemporaryFolder;
using Numbers = std::vector<std::int64_t>;

TEST(SelectClasses, RelabelsInTheOrderAskedForAndKeepsTheOrderOfImages) {
  const Dataset selected = select_classes(test::numbered(12, 4), {3, 0});
  EXPECT_EQ(selected.class_names, (std::vector<std::string>{"d", "a"}));
  EXPECT_EQ(test::to_vector(selected.images.select(1, 0).select(1, 0).select(1, 0)),
            (Numbers{0, 3, 4, 7, 8, 11}));
  EXPECT_EQ(test::to_vector(selected.labels), (Numbers{1, 0, 1, 0, 1, 0}));
  EXPECT_EQ(selected.images.scalar_type(), at::kByte);
  EXPECT_EQ(selected.labels.scalar_type(), at::kLong);
}

TEST(SelectClasses, RefusesWhatIsNotThere) {
  Dataset dataset = test::numbered(12, 4);
  expect_error(
      [&] {
        select_classes(dataset, {0, 4});
      },
      {"class 4 does not exist", "0 a, 1 b, 2 c, 3 d"}, ExitCode::usage);
  expect_error([&] { select_classes(dataset, {-1}); }, {"class -1 does not exist"}, ExitCode::usage);
  expect_error([&] { select_classes(dataset, {2, 1, 2}); }, {"class 2 (c) is named twice"}, ExitCode::usage);
  dataset.class_names.push_back("empty");
  expect_error([&] { select_classes(dataset, {0, 4}); }, {"class 4 (empty) has no image"});
}

TEST(Slice, KeepsImagesWithTheirLabels) {
  const Dataset part = slice(test::numbered(10, 3), 4, 3);
  EXPECT_EQ(part.size(), 3);
  EXPECT_EQ(test::to_vector(part.images.select(1, 0).select(1, 0).select(1, 0)), (Numbers{4, 5, 6}));
  EXPECT_EQ(test::to_vector(part.labels), (Numbers{1, 2, 0}));
  EXPECT_EQ(part.classes(), 3);
  EXPECT_THROW(slice(part, 2, 2), c10::Error);
  EXPECT_THROW(slice(part, -1, 2), c10::Error);
}

TEST(Join, KeepsImagesWithTheirLabelsInOrder) {
  const Dataset ten = test::numbered(10, 3), both = join(slice(ten, 8, 2), slice(ten, 0, 3));
  EXPECT_EQ(test::to_vector(both.images.select(1, 0).select(1, 0).select(1, 0)), (Numbers{8, 9, 0, 1, 2}));
  EXPECT_EQ(test::to_vector(both.labels), (Numbers{2, 0, 0, 1, 2}));
  EXPECT_EQ(both.class_names, ten.class_names);
  EXPECT_THROW(join(ten, test::numbered(10, 4)), c10::Error);
}

TEST(Pick, TakesImagesWithTheirLabelsInTheOrderAsked) {
  const Dataset part = pick(test::numbered(10, 3), at::tensor({7, 2}, at::kLong));
  EXPECT_EQ(test::to_vector(part.images.select(1, 0).select(1, 0).select(1, 0)), (Numbers{7, 2}));
  EXPECT_EQ(test::to_vector(part.labels), (Numbers{1, 2}));
  EXPECT_EQ(part.classes(), 3);
}

TEST(SampleRows, AreDifferentAndReachTheWholeSet) {
  const Dataset dataset = test::numbered(10, 3);
  at::Generator generator = make_generator(1, "rows");
  std::set<std::int64_t> seen;
  for (int draw = 0; draw < 50; ++draw) {
    const Numbers rows = test::to_vector(sample_rows(dataset, 4, generator));
    EXPECT_EQ(std::set<std::int64_t>(rows.begin(), rows.end()).size(), 4U);
    seen.insert(rows.begin(), rows.end());
  }
  EXPECT_EQ(seen.size(), 10U);
  const Numbers all = test::to_vector(at::arange(10, at::kLong));
  EXPECT_EQ(test::to_vector(sample_rows(dataset, 0, generator)), all);
  EXPECT_EQ(test::to_vector(sample_rows(dataset, 11, generator)), all);
  EXPECT_THROW(sample_rows(dataset, -1, generator), c10::Error);
}

TEST(ToFloat, DividesBytesBy255) {
  Dataset dataset{
      at::arange(256, at::kLong).to(at::kByte).reshape({1, 1, 16, 16}), at::zeros({1}, at::kLong), {"a"}};
  const at::Tensor pixels = to_float(dataset).flatten();
  for (std::int64_t i = 0; i < 256; ++i) EXPECT_EQ(pixels[i].item<float>(), static_cast<float>(i) / 255.0f);
}

TEST(ToFloat, TakesRowsAndLiesChannelsLast) {
  for (const std::int64_t channels : {1, 3}) {
    Dataset dataset{test::random_bytes({9, channels, 5, 4}), test::round_robin(9, 2), {"a", "b"}};
    const Numbers rows = {7, 0, 7, 3};
    const at::Tensor pixels = to_float(dataset, at::tensor(rows, at::kLong));
    ASSERT_EQ(pixels.sizes(), (at::IntArrayRef{4, channels, 5, 4}));
    EXPECT_EQ(pixels.strides(), (at::IntArrayRef{20 * channels, 1, 4 * channels, channels}));
    EXPECT_EQ(pixels.suggest_memory_format(), at::MemoryFormat::ChannelsLast);
    for (std::int64_t i = 0; i < 4; ++i) {
      const at::Tensor bytes = dataset.images[rows[static_cast<std::size_t>(i)]];
      EXPECT_TRUE(at::equal(pixels[i].mul(255).round().to(at::kByte), bytes));
    }
    EXPECT_TRUE(at::equal(to_float(dataset).index_select(0, at::tensor(rows, at::kLong)), pixels));
  }
}

class LoadIdxPair : public testing::Test {
 protected:
  Dataset load(const at::Tensor& images, const at::Tensor& labels) {
    write_idx(folder_ / "images", images);
    write_idx(folder_ / "labels", labels);
    return load_idx_pair(folder_ / "images", folder_ / "labels", {"a", "b", "c"});
  }
  TemporaryFolder folder_;
};

TEST_F(LoadIdxPair, PutsGreyImagesInOneChannel) {
  const at::Tensor images = test::random_bytes({6, 4, 5}), labels = test::round_robin(6, 3).to(at::kByte);
  const Dataset dataset = load(images, labels);
  EXPECT_TRUE(at::equal(dataset.images, images.unsqueeze(1)));
  EXPECT_TRUE(at::equal(dataset.labels, labels.to(at::kLong)));
  EXPECT_EQ(dataset.classes(), 3);
  const at::Tensor coloured = test::random_bytes({6, 3, 4, 5});
  EXPECT_TRUE(at::equal(load(coloured, labels).images, coloured));
}

/// (N, H, W, C), as TensorFlow keeps images.
TEST_F(LoadIdxPair, BringsColoursToTheFront) {
  const at::Tensor labels = test::round_robin(6, 3).to(at::kByte);
  for (const std::int64_t channels : {1, 3}) {
    const at::Tensor images = test::random_bytes({6, 8, 5, channels});
    const Dataset dataset = load(images, labels);
    EXPECT_TRUE(at::equal(dataset.images, images.permute({0, 3, 1, 2})));
  }
  expect_error(
      [&] {
        load(test::random_bytes({6, 8, 5, 4}), labels);
      },
      {"/images holds images of 8 channels", "1 or 3"});
}

TEST_F(LoadIdxPair, RefusesFilesThatDoNotBelongTogether) {
  const at::Tensor images = test::random_bytes({6, 4, 5}), labels = test::round_robin(6, 3).to(at::kByte);
  expect_error([&] { load(images, labels.narrow(0, 0, 5)); },
               {"6 images", "5 labels", "do not fit together"});
  expect_error([&] { load(images, labels.add(1)); }, {"/labels has the label 3", "only 3 classes"});
  expect_error([&] { load(images, images); }, {"/labels holds no labels"});
  expect_error([&] { load(labels, labels); }, {"/images holds no images"});
}

}  // namespace
}  // namespace whence::data
