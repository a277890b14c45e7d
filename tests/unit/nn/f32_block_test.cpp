// Blocks of products in float32, of every instruction set that runs here, against loops in float64.
#include "nn/kernels/f32_block.h"

#include <gtest/gtest.h>

#include <limits>

#include "unit/nn/network_support.h"

#ifdef WHENCE_HAS_F32_CODE

namespace whence::nn::f32 {
namespace {

using test_support::kSummed;
using test_support::relative_error;

constexpr float kNoFloor = -std::numeric_limits<float>::infinity();

class F32Blocks : public ::testing::Test {
 protected:
  void SetUp() override {
    if (supported_blocks().empty()) GTEST_SKIP() << "this processor has no AVX2";
  }

  Tensor random(at::IntArrayRef shape) { return at::randn(shape, generator_); }

  /// Calls check for all blocks that run here: narrow or not, of 1, 2, ... rows.
  template <class Check>
  void for_all(const Check& check) {
    for (const Blocks& blocks : supported_blocks()) {
      for (const bool narrow : {false, true}) {
        for (std::int64_t rows = 1; rows <= blocks.of(narrow).rows(); ++rows) {
          SCOPED_TRACE(fmt::format("{} lanes, narrow: {}, {} rows", blocks.lanes, narrow, rows));
          check(blocks, narrow, rows);
        }
      }
    }
  }

 private:
  Generator generator_ = make_generator(7, "test");
};

std::int64_t written(const Blocks& blocks, bool narrow) { return narrow ? blocks.lanes : blocks.columns; }

TEST_F(F32Blocks, MultiplyPiecesOfRows) {
  constexpr std::int64_t stride = 40, depth = 7, skipped = 3, second = 20;
  for_all([&](const Blocks& blocks, bool narrow, std::int64_t rows) {
    const std::int64_t columns = written(blocks, narrow);
    const Tensor left = random({rows, stride}), right = random({2 * depth + skipped, blocks.columns}),
                 addend = random({blocks.columns});
    const std::array pieces = {Piece{1, 0, depth}, Piece{second, (depth + skipped) * blocks.columns, depth}};
    const Tensor sums = at::full({rows, stride}, 5.0f);
    std::vector<const float*> begins;
    std::vector<float*> to;
    for (std::int64_t r = 0; r < rows; ++r) {
      begins.push_back(left[r].data_ptr<float>());
      to.push_back(sums[r].data_ptr<float>());
    }
    const RowProduct product = blocks.of(narrow).product(rows);
    const Pieces both = {pieces.data(), std::ssize(pieces)};
    product(begins.data(), right.data_ptr<float>(), both, {addend.data_ptr<float>(), kNoFloor}, to.data());

    const Tensor a = left.to(at::kDouble), b = right.to(at::kDouble);
    const Tensor truth = (a.narrow(1, 1, depth).matmul(b.narrow(0, 0, depth)) +
                          a.narrow(1, second, depth).matmul(b.narrow(0, depth + skipped, depth)) + addend)
                             .narrow(1, 0, columns);
    EXPECT_LT(relative_error(sums.narrow(1, 0, columns), truth), kSummed);
    EXPECT_TRUE(sums.narrow(1, columns, stride - columns).eq(5).all().item<bool>()) << "past the columns";

    const Tensor plain = sums.clone();
    product(begins.data(), right.data_ptr<float>(), both, {addend.data_ptr<float>(), 0}, to.data());
    EXPECT_TRUE(sums.equal(plain.clamp_min(0)));
  });
}

TEST_F(F32Blocks, AddOuterProductsOfPairs) {
  constexpr std::int64_t stride = 48, pixels = 9;
  const std::array<std::int64_t, 4> chosen = {0, 3, 4, 8};
  for_all([&](const Blocks& blocks, bool narrow, std::int64_t rows) {
    const std::int64_t columns = written(blocks, narrow);
    const Tensor left = random({pixels, rows}), right = random({pixels, blocks.columns}),
                 before = random({rows, stride});
    std::vector<Pair> pairs;
    Tensor truth = before.to(at::kDouble);
    for (const std::int64_t i : chosen) {
      const std::int64_t other = pixels - 1 - i;
      pairs.push_back(
          {static_cast<std::int32_t>(i * rows), static_cast<std::int32_t>(other * blocks.columns)});
      truth.narrow(1, 0, columns) += at::outer(left[i], right[other].narrow(0, 0, columns)).to(at::kDouble);
    }
    const Tensor sums = before.clone();
    blocks.of(narrow).outer_product(rows)(left.data_ptr<float>(), right.data_ptr<float>(),
                                          {pairs.data(), std::ssize(pairs)}, sums.data_ptr<float>(), stride);
    EXPECT_LT(relative_error(sums, truth), kSummed);
    EXPECT_TRUE(sums.narrow(1, columns, stride - columns).equal(before.narrow(1, columns, stride - columns)));
  });
}

TEST_F(F32Blocks, HideNothingThatIsNoNumber) {
  for_all([&](const Blocks& blocks, bool narrow, std::int64_t rows) {
    const Tensor left = at::full({rows, 1}, std::numeric_limits<float>::quiet_NaN());
    const Tensor right = random({1, blocks.columns}), addend = at::zeros({blocks.columns}),
                 sums = at::zeros({rows, blocks.columns});
    std::vector<const float*> begins;
    std::vector<float*> to;
    for (std::int64_t r = 0; r < rows; ++r) {
      begins.push_back(left[r].data_ptr<float>());
      to.push_back(sums[r].data_ptr<float>());
    }
    const Piece piece = {0, 0, 1};
    blocks.of(narrow).product(rows)(begins.data(), right.data_ptr<float>(), {&piece, 1},
                                    {addend.data_ptr<float>(), 0}, to.data());
    EXPECT_TRUE(sums.narrow(1, 0, written(blocks, narrow)).isnan().all().item<bool>());
  });
}

}  // namespace
}  // namespace whence::nn::f32
#endif
