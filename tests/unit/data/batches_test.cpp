#include "whence/data/batches.h"

#include <gtest/gtest.h>

#include <chrono>

#include "support/errors.h"
#include "unit/data/support.h"

namespace whence::data {
namespace {

using Numbers = std::vector<std::int64_t>;

/// Which images of test::numbered a batch holds.
Numbers members(const Batch& batch) {
  return test::to_vector(batch.images.select(1, 0).select(1, 0).select(1, 0).mul(255).round());
}

Numbers sorted(Numbers values) {
  std::sort(values.begin(), values.end());
  return values;
}

TEST(Batches, VisitEveryImageOnceAnEpoch) {
  const Dataset dataset = test::numbered(50, 3);
  Batches batches(dataset, 8, 1, false);
  ASSERT_EQ(batches.per_epoch(), 7);
  std::vector<Numbers> epochs;
  for (std::int64_t epoch = 0; epoch < 3; ++epoch) {
    Numbers seen;
    for (std::int64_t i = 0; i < 7; ++i) {
      const Batch batch = batches.at(epoch * 7 + i);
      const Numbers some = members(batch);
      EXPECT_EQ(some.size(), i < 6 ? 8u : 2u);
      for (std::size_t j = 0; j < some.size(); ++j) {
        EXPECT_EQ(batch.labels[static_cast<std::int64_t>(j)].item<std::int64_t>(), some[j] % 3);
      }
      seen.insert(seen.end(), some.begin(), some.end());
    }
    EXPECT_EQ(sorted(seen), test::to_vector(at::arange(50)));
    EXPECT_NE(seen, sorted(seen)) << "not shuffled";
    epochs.push_back(seen);
  }
  EXPECT_NE(epochs[0], epochs[1]);
  EXPECT_NE(epochs[1], epochs[2]);
}

TEST(Batches, DropTheLastSmallerBatch) {
  Batches batches(test::numbered(50, 3), 8, 1);
  EXPECT_EQ(batches.per_epoch(), 6);
  for (std::int64_t i = 0; i < 13; ++i) EXPECT_EQ(batches.at(i).labels.size(0), 8);
  EXPECT_EQ(Batches(test::numbered(48, 3), 8, 1).per_epoch(), 6);
  EXPECT_EQ(Batches(test::numbered(48, 3), 8, 1, false).per_epoch(), 6);
}

TEST(Batches, DependOnSeedAndNumberOnly) {
  const Dataset dataset = test::numbered(50, 3);
  Batches in_order(dataset, 8, 1);
  std::vector<Numbers> expected;
  for (std::int64_t i = 0; i < 20; ++i) expected.push_back(members(in_order.at(i)));
  Batches jumping(dataset, 8, 1);
  for (const std::int64_t i : {17, 3, 19, 0, 6, 5, 12}) {
    EXPECT_EQ(members(jumping.at(i)), expected[static_cast<std::size_t>(i)]) << i;
  }
  EXPECT_NE(members(Batches(dataset, 8, 2).at(0)), expected[0]);
}

TEST(Batches, GiveFloatsChannelsLast) {
  const Batch batch = Batches(test::numbered(50, 3, 3), 8, 1).at(0);
  EXPECT_EQ(batch.images.scalar_type(), at::kFloat);
  EXPECT_TRUE(batch.images.is_contiguous(at::MemoryFormat::ChannelsLast));
  EXPECT_EQ(batch.images.sizes(), (at::IntArrayRef{8, 3, 2, 2}));
  EXPECT_EQ(batch.labels.scalar_type(), at::kLong);
}

TEST(Batches, OutliveTheDatasetTheyWereMadeFrom) {
  auto dataset = std::make_unique<Dataset>(test::numbered(50, 3));
  Batches batches(*dataset, 8, 1);
  dataset.reset();
  EXPECT_EQ(batches.at(0).labels.size(0), 8);
}

TEST(Batches, RefuseTooFewImages) {
  const Dataset dataset = test::numbered(5, 3);
  whence::test::expect_error([&] { Batches(dataset, 8, 1); }, {"batches of 8", "5 images"});
  EXPECT_EQ(Batches(dataset, 8, 1, false).at(3).labels.size(0), 5);
  whence::test::expect_error([&] { Batches(slice(dataset, 0, 0), 8, 1, false); }, {"no images"});
  EXPECT_THROW(Batches(dataset, 0, 1), c10::Error);
}

TEST(Batches, CostFarLessThanAStep) {
  constexpr std::int64_t images = 18'000;
  Batches batches({test::random_bytes({images, 1, 28, 28}), test::round_robin(images, 3), {"a", "b", "c"}},
                  64, 1);
  batches.at(0);
  double fastest = 1;
  for (std::int64_t i = 1; i < 100; ++i) {
    const auto start = std::chrono::steady_clock::now();
    batches.at(i);
    fastest =
        std::min(fastest, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  }
  RecordProperty("microseconds", static_cast<int>(fastest * 1e6));
  EXPECT_LT(fastest, 1e-3);
}

}  // namespace
}  // namespace whence::data
