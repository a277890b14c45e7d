#include "whence/data/cifar.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "support/environment.h"
#include "support/errors.h"
#include "support/files.h"
#include "unit/data/support.h"
#include "whence/data/known.h"

namespace fs = std::filesystem;

namespace whence::data {
namespace {

using whence::test::expect_error;
using whence::test::put;
using whence::test::TemporaryFolder;
using Names = std::vector<std::string>;
using Numbers = std::vector<std::int64_t>;

constexpr std::size_t record = 3073;

/// One image whose red, green and blue planes are filled with 10, 20 and 30 plus `label`.
std::string one_record(char label) {
  std::string bytes(1, label);
  for (const int plane : {10, 20, 30}) bytes += std::string(1024, static_cast<char>(plane + label));
  return bytes;
}

/// All six files; training images go round the ten classes.
void write_set(const fs::path& folder, int in_a_batch, int in_the_test) {
  fs::create_directories(folder);
  const auto batch = [](int count) {
    std::string bytes;
    for (int i = 0; i < count; ++i) bytes += one_record(static_cast<char>(i % 10));
    return bytes;
  };
  for (int i = 1; i <= 5; ++i) put(folder / ("data_batch_" + std::to_string(i) + ".bin"), batch(in_a_batch));
  put(folder / "test_batch.bin", batch(in_the_test));
}

TEST(ReadCifar, ReadsTheFormatByHand) {
  const TemporaryFolder folder;
  std::string bytes = one_record(7) + one_record(2);
  bytes[record + 1 + 1024 + 32 * 3 + 5] = '\xfa';  // second image, green, row 3, column 5
  put(folder / "a.bin", bytes);
  put(folder / "b.bin", one_record(0));
  const Names names = known_set("cifar10").class_names;
  const Dataset dataset = read_cifar({folder / "a.bin", folder / "b.bin"}, names);
  EXPECT_EQ(dataset.images.sizes(), (at::IntArrayRef{3, 3, 32, 32}));
  EXPECT_EQ(test::to_vector(dataset.labels), (Numbers{7, 2, 0}));
  EXPECT_EQ(dataset.class_names, names);
  EXPECT_EQ(test::to_vector(dataset.images.select(3, 31).select(2, 31).flatten()),
            (Numbers{17, 27, 37, 12, 22, 32, 10, 20, 30}));
  EXPECT_EQ(dataset.images[1][1][3][5].item<std::int64_t>(), 250);
  EXPECT_EQ(dataset.images[1][1][5][3].item<std::int64_t>(), 22);
}

TEST(ReadCifar, SaysWhatIsWrong) {
  const TemporaryFolder folder;
  const Names names = known_set("cifar10").class_names;
  const auto read = [&](const std::string& bytes) {
    put(folder / "batch.bin", bytes);
    read_cifar({folder / "batch.bin"}, names);
  };
  expect_error([&] { read(""); }, {"/batch.bin is empty"});
  expect_error([&] { read(one_record(1).substr(1)); },
               {"/batch.bin is cut off", "3072 bytes", "records of 3073"});
  expect_error([&] { read(one_record(9) + one_record(10)); },
               {"/batch.bin is damaged", "image 1 has the label 10", "only 10 classes"});
  expect_error([&] { read(std::string(record, '\xff')); }, {"image 0 has the label 255"});
  expect_error([&] { read_cifar({folder / "none.bin"}, names); }, {"cannot read", "/none.bin"});
}

TEST(ReadCifar, RefusesEveryTruncationAndOnlyTakesWholeRecords) {
  const TemporaryFolder folder;
  const std::string whole = one_record(3) + one_record(4);
  for (std::size_t size = 0; size < whole.size(); size += 61) {
    fs::remove(folder / "cut");
    put(folder / "cut", whole.substr(0, size));
    EXPECT_THROW(read_cifar({folder / "cut"}, known_set("cifar10").class_names), Error) << size;
  }
}

TEST(ReadCifar, SurvivesRandomDamage) {
  const TemporaryFolder folder;
  Generator generator = make_generator(2, "test/fuzz");
  for (int trial = 0; trial < 200; ++trial) {
    std::string bytes = one_record(3) + one_record(4);
    const at::Tensor hits = at::randint(static_cast<std::int64_t>(bytes.size()), {6}, generator, at::kLong);
    for (const std::int64_t hit : test::to_vector(hits))
      bytes[static_cast<std::size_t>(hit)] = static_cast<char>(hit);
    fs::remove(folder / "damaged");
    put(folder / "damaged", bytes);
    const bool labels_are_fine =
        static_cast<unsigned char>(bytes[0]) < 10 && static_cast<unsigned char>(bytes[record]) < 10;
    if (labels_are_fine) {
      EXPECT_EQ(read_cifar({folder / "damaged"}, known_set("cifar10").class_names).size(), 2);
    } else {
      EXPECT_THROW(read_cifar({folder / "damaged"}, known_set("cifar10").class_names), Error);
    }
  }
}

TEST(ReadCifarNames, TakesALineAName) {
  const TemporaryFolder folder;
  put(folder / "names", "airplane\r\nbig truck\n\n");
  EXPECT_EQ(read_cifar_names(folder / "names"), (Names{"airplane", "big truck"}));
  put(folder / "names", "\n\n");
  expect_error([&] { read_cifar_names(folder / "names"); }, {"/names names no class"});
}

TEST(LoadCifar, CutsTheLastImagesOffForValidation) {
  const TemporaryFolder folder;
  write_set(folder.path(), 20, 10);
  KnownSet set = known_set("cifar10");
  set.validation_from_train = 30;
  const Splits splits = load(set, {3, 0}, folder.path());
  EXPECT_EQ(splits.train.class_names, (Names{"cat", "airplane"}));
  EXPECT_EQ(test::counts(splits.train), (Numbers{7, 7}));
  EXPECT_EQ(test::counts(splits.validation), (Numbers{3, 3}));
  EXPECT_EQ(test::counts(splits.test), (Numbers{1, 1}));
  EXPECT_EQ(splits.train.images.sizes(), (at::IntArrayRef{14, 3, 32, 32}));
}

TEST(LoadCifar, FindsWhatTheArchiveUnpacks) {
  const TemporaryFolder root;
  const whence::test::EnvironmentVariable variable("WHENCE_DATA", root.path().string());
  write_set(root / "cifar-10-batches-bin", 2, 2);
  const auto place = locate(known_set("cifar10"));
  ASSERT_TRUE(place);
  EXPECT_EQ(place->folder, root / "cifar-10-batches-bin");
  EXPECT_EQ(place->layout, Layout::cifar);
  EXPECT_EQ(layout_of(place->folder), Layout::cifar);
}

TEST(LoadCifar, RefusesWhatIsNotWhole) {
  const TemporaryFolder folder;
  const KnownSet& set = known_set("cifar10");
  write_set(folder.path(), 2, 2);
  expect_error([&] { load(set, {}, folder.path()); }, {"/data_batch_5.bin has 10 images", "10000"});
  put(folder / "batches.meta.txt", "airplane\n");
  expect_error([&] { load(set, {}, folder.path()); }, {"/batches.meta.txt names 1 classes, not 10"});
  fs::remove(folder / "data_batch_3.bin");
  expect_error([&] { load(set, {}, folder.path()); }, {"lacks data_batch_3.bin of CIFAR-10"});
}

TEST(RealData, Cifar10HasTheKnownCounts) {
#ifdef __SANITIZE_ADDRESS__
  GTEST_SKIP() << "unpacking 180 MB once, in the optimised build, is enough";
#endif
  const fs::path archive = test::real_data("cifar10") / "cifar-10-binary.tar.xz";
  if (!fs::exists(archive)) GTEST_SKIP() << "no " << archive << " (set WHENCE_TEST_DATA)";
  const TemporaryFolder folder;
  const std::string command = "tar xf '" + archive.string() + "' -C '" + folder.path().string() + "'";
  ASSERT_EQ(std::system(command.c_str()), 0) << command;
  const Splits splits = load(known_set("cifar10"), {}, folder.path());
  const Numbers batch_5 = {1014, 1014, 952, 1016, 997, 1025, 980, 977, 1003, 1022};
  EXPECT_EQ(test::counts(splits.validation), batch_5);
  for (std::size_t i = 0; i < 10; ++i) EXPECT_EQ(test::counts(splits.train)[i], 5000 - batch_5[i]);
  EXPECT_EQ(test::counts(splits.test), Numbers(10, 1000));
  EXPECT_EQ(test::to_vector(splits.train.labels.narrow(0, 0, 10)), (Numbers{6, 9, 9, 4, 1, 1, 2, 7, 8, 3}));
  EXPECT_EQ(test::to_vector(splits.test.labels.narrow(0, 0, 5)), (Numbers{3, 8, 8, 0, 6}));
  EXPECT_EQ(splits.train.images.sizes(), (at::IntArrayRef{40'000, 3, 32, 32}));
  const at::Tensor batch_1 =
      splits.train.images.narrow(0, 0, 10'000).to(at::kDouble).mean({0, 2, 3}).div(255);
  EXPECT_NEAR(batch_1[0].item<double>(), 0.4933, 1e-4);
  EXPECT_NEAR(batch_1[1].item<double>(), 0.4833, 1e-4);
  EXPECT_NEAR(batch_1[2].item<double>(), 0.4472, 1e-4);
  const Splits pair = load(known_set("cifar10"), {2, 0}, folder.path());
  EXPECT_EQ(pair.train.class_names, (Names{"bird", "airplane"}));
  EXPECT_EQ(pair.test.size(), 2000);
}

}  // namespace
}  // namespace whence::data
