#include "whence/data/known.h"

#include <gtest/gtest.h>

#include "support/environment.h"
#include "support/errors.h"
#include "support/files.h"
#include "unit/data/support.h"

namespace fs = std::filesystem;

namespace whence::data {
namespace {

using whence::test::EnvironmentVariable;
using whence::test::expect_error;
using whence::test::TemporaryFolder;
using Numbers = std::vector<std::int64_t>;

std::optional<fs::path> folder_of(const KnownSet& set, const std::optional<fs::path>& path = {}) {
  const auto place = locate(set, path);
  return place ? std::optional(place->folder) : std::nullopt;
}

TEST(KnownSet, IsFoundByName) {
  EXPECT_EQ(known_set("fashion-mnist").title, "Fashion-MNIST");
  for (const KnownSet& set : known_sets()) {
    EXPECT_EQ(&known_set(set.name), &set);
    EXPECT_EQ(set.class_names.size(), 10u);
    EXPECT_NE(set.validation_from_train > 0, set.validation_from_test > 0);
  }
  expect_error([] { known_set("fashion_mnst"); },
               {"no data set 'fashion_mnst'", "did you mean 'fashion-mnist'"}, ExitCode::usage);
  expect_error([] { known_set("imagenet"); }, {"known are mnist, fashion-mnist, notmnist, cifar10"},
               ExitCode::usage);
}

TEST(Locate, LooksInTheFoldersInTheirOrder) {
  const TemporaryFolder root, elsewhere;
  const KnownSet& set = known_set("mnist");
  const fs::path before = fs::current_path();
  fs::current_path(elsewhere.path());
  const EnvironmentVariable variable("WHENCE_DATA", root.path().string());
  EXPECT_EQ(folder_of(set), std::nullopt);
  test::write_four_files(elsewhere / "data/mnist", 10, 10);
  EXPECT_EQ(folder_of(set), fs::path("data/mnist"));
  test::write_four_files(root.path(), 10, 10, ".gz");
  EXPECT_EQ(folder_of(set), root.path());
  test::write_four_files(root / "mnist", 10, 10);
  EXPECT_EQ(folder_of(set), root / "mnist");
  fs::remove(root / "mnist/t10k-labels-idx1-ubyte");
  EXPECT_EQ(folder_of(set), root.path()) << "a folder without all four is no hit";
  EXPECT_EQ(folder_of(set, elsewhere / "data/mnist"), elsewhere / "data/mnist");
  EXPECT_EQ(folder_of(set, elsewhere.path()), std::nullopt) << "a given path is the only one";
  fs::current_path(before);
}

TEST(Locate, DoesNotTakeTheFolderOfAnotherSet) {
  const TemporaryFolder root;
  test::write_four_files(root / "fashion-mnist", 10, 10);
  const EnvironmentVariable variable("WHENCE_DATA", (root / "fashion-mnist").string());
  EXPECT_EQ(folder_of(known_set("fashion-mnist")), root / "fashion-mnist");
  EXPECT_EQ(folder_of(known_set("notmnist")), std::nullopt) << "its files have the same names";
}

TEST(Load, SaysWhereItLookedAndWhatWouldProvideIt) {
  const TemporaryFolder root;
  const EnvironmentVariable variable("WHENCE_DATA", root.path().string());
  expect_error([] { load(known_set("mnist"), {}); },
               {"MNIST was not found", "looked in", "data/mnist", "WHENCE_DATA", "path"});
  KnownSet moved = known_set("fashion-mnist");
  moved.folders = {"/nowhere/fashion-mnist"};
  expect_error([&] { load(moved, {}); }, {"Fashion-MNIST was not found", "/nowhere/fashion-mnist",
                                          "apt-get install dataset-fashion-mnist"});
  expect_error([&] { load(moved, {}, root / "elsewhere"); },
               {(root / "elsewhere").string() + " is not a folder", "holds Fashion-MNIST"});
  test::write_four_files(root.path(), 10, 10);
  fs::remove(root / "t10k-images-idx3-ubyte");
  expect_error([&] { load(moved, {}, root.path()); },
               {root.path().string(), "lacks t10k-images-idx3-ubyte ("});
}

/// A set as small as its test: 30 training images, 20 test images.
class LoadSmallSet : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override { test::write_four_files(folder_.path(), 30, 20, GetParam()); }
  TemporaryFolder folder_;
  KnownSet set_ = known_set("mnist");
};

TEST_P(LoadSmallSet, CutsValidationFromTheEndOfTheTrainingFile) {
  set_.validation_from_train = 7;
  const Splits splits = load(set_, {}, folder_.path());
  const at::Tensor images = test::random_bytes({30, 3, 3}, 1).unsqueeze(1);
  EXPECT_TRUE(at::equal(splits.train.images, images.narrow(0, 0, 23)));
  EXPECT_TRUE(at::equal(splits.validation.images, images.narrow(0, 23, 7)));
  EXPECT_TRUE(at::equal(splits.test.images, test::random_bytes({20, 3, 3}, 2).unsqueeze(1)));
  EXPECT_EQ(test::to_vector(splits.validation.labels), (Numbers{3, 4, 5, 6, 7, 8, 9}));
}

TEST_P(LoadSmallSet, CutsValidationFromTheStartOfTheTestFile) {
  set_.validation_from_train = 0;
  set_.validation_from_test = 12;
  const Splits splits = load(set_, {}, folder_.path());
  const at::Tensor images = test::random_bytes({20, 3, 3}, 2).unsqueeze(1);
  EXPECT_EQ(splits.train.size(), 30);
  EXPECT_TRUE(at::equal(splits.validation.images, images.narrow(0, 0, 12)));
  EXPECT_TRUE(at::equal(splits.test.images, images.narrow(0, 12, 8)));
}

TEST_P(LoadSmallSet, SelectsClassesInEverySplit) {
  set_.validation_from_train = 10;
  const Splits splits = load(set_, {4, 1}, folder_.path());
  for (const Dataset* split : {&splits.train, &splits.validation, &splits.test}) {
    EXPECT_EQ(split->class_names, (std::vector<std::string>{"4", "1"}));
    EXPECT_EQ(test::to_vector(split->labels.narrow(0, 0, 2)), (Numbers{1, 0})) << "the file has 1 before 4";
  }
  EXPECT_EQ(test::counts(splits.train), (Numbers{2, 2}));
  EXPECT_EQ(test::counts(splits.test), (Numbers{2, 2}));
}

TEST_P(LoadSmallSet, RefusesASplitWithoutAClassOrWithoutImages) {
  set_.validation_from_train = 7;
  expect_error(
      [&] {
        load(set_, {2, 3}, folder_.path());
      },
      {"MNIST, validation images", "class 2 (2) has no image"});
  expect_error(
      [&] {
        load(set_, {3, 11}, folder_.path());
      },
      {"class 11 does not exist; the classes are "}, ExitCode::usage);
  set_.validation_from_train = 30;
  expect_error([&] { load(set_, {}, folder_.path()); }, {"train-images", "has 30 images"});
}

INSTANTIATE_TEST_SUITE_P(Endings, LoadSmallSet, testing::Values("", ".gz"),
                         [](const auto& given) { return *given.param == '\0' ? "Plain" : "Gzip"; });

/// "train-images.idx3-ubyte", as some programs unpack them.
TEST(LoadOwn, ReadsIdxFilesWithDotsInTheirNames) {
  const TemporaryFolder folder;
  test::write_four_files(folder.path(), 30, 10);
  for (const char* name :
       {"train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1"}) {
    std::string dotted = name;
    dotted[dotted.rfind('-')] = '.';
    fs::rename(folder / (std::string(name) + "-ubyte"), folder / (dotted + "-ubyte"));
  }
  EXPECT_EQ(layout_of(folder.path()), Layout::idx);
  EXPECT_EQ(load_own(folder.path(), Layout::idx, std::vector<std::string>(10, "c"), {}).train.size(), 30);
}

TEST(LoadOwn, ReadsIdxFilesOfColours) {
  const TemporaryFolder folder;
  test::write_four_files(folder.path(), 30, 10);
  for (const std::string part : {"train", "t10k"}) {
    fs::remove(folder / (part + "-images-idx3-ubyte"));
    write_idx(folder / (part + "-images-idx4-ubyte"),
              test::random_bytes({part == "train" ? 30 : 10, 5, 4, 3}));
  }
  EXPECT_EQ(load_own(folder.path(), Layout::idx, std::vector<std::string>(10, "c"), {}).train.images.sizes(),
            (std::vector<std::int64_t>{30, 3, 5, 4}));
}

TEST(LoadOwn, LabelsFromOneAreNamed) {
  const TemporaryFolder folder;
  test::write_four_files(folder.path(), 30, 30);
  for (const char* part : {"train", "t10k"})
    write_idx(folder / (std::string(part) + "-labels-idx1-ubyte"),
              test::round_robin(30, 3).add(1).to(at::kByte));
  const std::vector<std::string> names = {"0", "1", "2", "3"};
  expect_error([&] { load_own(folder.path(), Layout::idx, names, {}); },
               {"run from 1 to 3, not from 0", "--classes 1,2,3", "data.classes = [1, 2, 3]"});
  EXPECT_EQ(load_own(folder.path(), Layout::idx, names, {1, 2, 3}).train.class_names,
            (std::vector<std::string>{"1", "2", "3"}));
}

TEST(RealData, FashionMnistHasTheKnownCounts) {
  const KnownSet& set = known_set("fashion-mnist");
  const auto folder = folder_of(set);
  if (!folder) GTEST_SKIP() << "Fashion-MNIST is not here (apt-get install dataset-fashion-mnist)";
  const Splits splits = load(set, {0, 3, 4}, folder);
  EXPECT_EQ(splits.train.class_names, (std::vector<std::string>{"T-shirt/top", "Dress", "Coat"}));
  EXPECT_EQ(test::counts(splits.train), (Numbers{6000, 6000, 6000}));
  EXPECT_EQ(test::counts(splits.validation), (Numbers{601, 607, 625}));
  EXPECT_EQ(test::counts(splits.test), (Numbers{399, 393, 375}));
  // sums of pixels of the last 4,000 test images of these classes, by numpy
  EXPECT_EQ(splits.test.images.sum(at::kLong).item<std::int64_t>(), 76'068'647);
  EXPECT_EQ(splits.test.images[0].sum(at::kLong).item<std::int64_t>(), 92'533);
  EXPECT_EQ(test::to_vector(splits.test.labels.narrow(0, 0, 8)), (Numbers{2, 2, 2, 2, 1, 0, 2, 2}));
  EXPECT_EQ(splits.train.images.sizes(), (at::IntArrayRef{18'000, 1, 28, 28}));
}

TEST(RealData, MnistHasTheKnownCounts) {
  const KnownSet& set = known_set("mnist");
  const auto folder = folder_of(set, test::real_data("mnist"));
  if (!folder) GTEST_SKIP() << "MNIST is not in " << test::real_data("mnist") << " (set WHENCE_TEST_DATA)";
  const Splits splits = load(set, {}, folder);
  const Numbers train = {4932, 5678, 4968, 5101, 4859, 4506, 4951, 5175, 4842, 4988};
  EXPECT_EQ(test::counts(splits.train), train);
  EXPECT_EQ(test::counts(splits.validation), (Numbers{991, 1064, 990, 1030, 983, 915, 967, 1090, 1009, 961}));
  EXPECT_EQ(test::counts(splits.test), (Numbers{980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009}));
  EXPECT_EQ(test::to_vector(splits.train.labels.narrow(0, 0, 10)), (Numbers{5, 0, 4, 1, 9, 2, 1, 3, 1, 4}));
  const Dataset whole{at::cat({splits.train.images, splits.validation.images}), {}, {}};
  EXPECT_NEAR(to_float(whole).mean().item<double>(), 0.1307, 1e-4);
  const Splits pair = load(set, {3, 8}, folder);
  EXPECT_EQ(pair.train.size() + pair.validation.size(), 11'982);
  EXPECT_EQ(pair.test.size(), 1'984);
}

TEST(RealData, NotMnistHasTheKnownCounts) {
  const KnownSet& set = known_set("notmnist");
  const auto folder = folder_of(set, test::real_data("notmnist"));
  if (!folder)
    GTEST_SKIP() << "notMNIST is not in " << test::real_data("notmnist") << " (set WHENCE_TEST_DATA)";
  const Splits splits = load(set, {}, folder);
  EXPECT_EQ(test::counts(splits.train),
            (Numbers{1439, 1423, 1457, 1448, 1433, 1428, 1412, 1434, 1457, 1469}));
  EXPECT_EQ(test::counts(splits.validation), (Numbers{161, 155, 155, 154, 175, 185, 166, 166, 152, 131}));
  EXPECT_EQ(test::counts(splits.test), (Numbers{272, 295, 261, 271, 265, 259, 294, 272, 263, 272}));
}

}  // namespace
}  // namespace whence::data
