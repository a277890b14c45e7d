// Blocks of products against a loop in float64, and the two units against each other.
#include "nn/kernels/bf16_block.h"

#include <c10/util/BFloat16.h>
#include <gtest/gtest.h>

#include <ostream>

#include "unit/nn/network_support.h"

#ifdef WHENCE_HAS_BF16_CODE

namespace whence::nn::bf16 {
namespace {

using test_support::kSummed;
using test_support::relative_error;

/// One way in which the products of this library lay out a block.
struct BlockCase {
  const char* name;
  std::int64_t pieces, steps,
      depth;  ///< of the left matrix; depth: of a piece, what the steps need not be full of
  std::int64_t offset, stride;
  std::int64_t tile_step, tile_row;  ///< of the right one
  bool second;
  std::int64_t c_stride;
};
void PrintTo(const BlockCase& block, std::ostream* out) { *out << block.name; }

using Multiply = void (*)(const LeftMatrix&, std::int64_t, const RightMatrix&, float*, std::int64_t, bool);

template <int kCount>
void rows_on_vectors(const LeftMatrix& a, std::int64_t offset, const RightMatrix& b, float* c,
                     std::int64_t c_stride, bool add) {
  multiply_on_vectors(a, offset, b, c, c_stride, add, kCount);
}
constexpr auto all_on_vectors = rows_on_vectors<kBlock>;

class Bf16Blocks : public ::testing::TestWithParam<BlockCase> {
 protected:
  void SetUp() override {
    if (!has_bf16_products()) GTEST_SKIP() << "this processor has no AVX512_BF16";
    const BlockCase& p = GetParam();
    Generator generator = make_generator(5, "test");
    a = at::randn({p.pieces, p.offset + kBlock * p.stride + p.steps * kDepth}, generator).to(at::kBFloat16);
    piece = p.steps * p.tile_step + kRows * p.tile_row;
    b = at::randn({2, p.pieces * piece}, generator).to(at::kBFloat16);
    clear_surplus();
    c = at::randn({kBlock, p.c_stride}, generator);
    for (std::int64_t i = 0; i < p.pieces; ++i) pieces.push_back(halves(a[i]));
  }

  /// Rows of the right matrix behind the depth of each piece are zero.
  void clear_surplus() const {
    const BlockCase& p = GetParam();
    for (std::int64_t n = 0; n < p.pieces; ++n) {
      for (std::int64_t k = p.depth; k < p.steps * kDepth; ++k) {
        for (std::int64_t j = 0; j < kColumns; ++j) b.select(1, place(n, k, j)).zero_();
      }
    }
  }
  /// Of an element of the right matrix.
  std::int64_t place(std::int64_t n, std::int64_t k, std::int64_t column) const {
    const BlockCase& p = GetParam();
    return n * piece + k / kDepth * p.tile_step + k % kDepth / 2 * p.tile_row + column * 2 + k % 2;
  }

  std::int64_t columns() const { return GetParam().second ? 2 * kColumns : kColumns; }
  /// c after the block.
  Tensor product(Multiply multiply, bool add) const {
    const BlockCase& p = GetParam();
    const Tensor result = c.clone();
    multiply({pieces.data(), p.pieces, p.steps, p.stride, p.depth}, p.offset,
             {halves(b[0]), p.second ? halves(b[1]) : nullptr, p.tile_step, piece, p.tile_row},
             result.data_ptr<float>(), p.c_stride, add);
    return result;
  }
  Tensor truth(bool add) const {
    const BlockCase& p = GetParam();
    Tensor result = c.to(at::kDouble);
    const Tensor left = a.to(at::kDouble), right = b.to(at::kDouble);
    const auto x = left.accessor<double, 2>(), y = right.accessor<double, 2>();
    auto sums = result.accessor<double, 2>();
    for (std::int64_t i = 0; i < kBlock; ++i) {
      for (std::int64_t j = 0; j < columns(); ++j) {
        double sum = add ? sums[i][j] : 0;
        for (std::int64_t n = 0; n < p.pieces; ++n) {
          for (std::int64_t k = 0; k < p.steps * kDepth; ++k)
            sum += x[n][p.offset + i * p.stride + k] * y[j / kColumns][place(n, k, j % kColumns)];
        }
        sums[i][j] = sum;
      }
    }
    return result;
  }
  void expect_product(Multiply multiply, std::int64_t rows = kBlock) const {
    const auto block = [&](const Tensor& whole) { return whole.narrow(0, 0, rows).narrow(1, 0, columns()); };
    for (const bool add : {false, true}) {
      const Tensor ours = product(multiply, add);
      EXPECT_LT(relative_error(block(ours), block(truth(add))), kSummed) << add;
      block(ours).copy_(block(c));
      EXPECT_TRUE(ours.equal(c)) << "written past the block";
    }
  }

  static const Half* halves(const Tensor& tensor) {
    return reinterpret_cast<const Half*>(tensor.data_ptr<at::BFloat16>());
  }

  Tensor a, b, c;
  std::int64_t piece = 0;
  std::vector<const Half*> pieces;
};

TEST_P(Bf16Blocks, AgreeWithFloat64OnVectors) {
  expect_product(all_on_vectors);
  expect_product(rows_on_vectors<1>, 1);
  expect_product(rows_on_vectors<13>, 13);
  expect_product(rows_on_vectors<29>, 29);
}

TEST_P(Bf16Blocks, AgreeWithFloat64OnTheUnitOfThisProcessor) {
  const Tiles tiles;
  const auto whole = [](const LeftMatrix& left, std::int64_t offset, const RightMatrix& right, float* sums,
                        std::int64_t stride,
                        bool add) { multiply_block(left, offset, right, sums, stride, add); };
  expect_product(whole);
}

TEST_P(Bf16Blocks, AreTheSameOnTilesAndVectors) {
  if (!has_amx()) GTEST_SKIP() << "this processor has no AMX";
  const Tiles tiles;
  for (const bool add : {false, true}) {
    const Tensor on_vectors = product(all_on_vectors, add);
    EXPECT_LT(relative_error(product(multiply_on_tiles, add), on_vectors.to(at::kDouble)), kSummed) << add;
  }
}

INSTANTIATE_TEST_SUITE_P(Layouts, Bf16Blocks,
                         ::testing::Values(BlockCase{"one_step", 1, 1, 32, 0, 32, 512, 32, true, 32},
                                           BlockCase{"overlapping_rows", 3, 3, 96, 64, 32, 512, 32, true, 80},
                                           BlockCase{"half_a_block", 2, 4, 128, 7, 96, 512, 32, false, 48},
                                           BlockCase{"tiles_in_turn", 1, 5, 160, 0, 192, 1024, 32, true, 32},
                                           BlockCase{"records", 4, 2, 64, 288, 288, 1536, 96, true, 32},
                                           BlockCase{"surplus", 3, 2, 35, 6, 7, 512, 32, true, 32},
                                           BlockCase{"little_depth", 4, 1, 3, 0, 2, 512, 32, false, 16}),
                         [](const auto& instance) { return std::string(instance.param.name); });

}  // namespace
}  // namespace whence::nn::bf16
#endif
