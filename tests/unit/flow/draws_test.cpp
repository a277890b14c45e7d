#include "whence/explain/flow/draws.h"

#include <gtest/gtest.h>

#include "whence/core/error.h"
#include "whence/core/random.h"

namespace whence::flow {
namespace {

TEST(DrawLatents, RepeatsTheFactorsAndRedrawsTheRest) {
  at::Generator generator = make_generator(9, "test");
  const at::Tensor z =
      draw_latents(4, {2, 0}, 5, 3, Sampling::nested, Placement::independent, generator).view({5, 3, 4});
  EXPECT_EQ(z.scalar_type(), at::kFloat);
  for (const std::int64_t factor : {0, 2})
    EXPECT_TRUE(z.select(2, factor).eq(z.select(2, factor).narrow(1, 0, 1)).all().item<bool>());
  for (const std::int64_t other : {1, 3}) {
    const at::Tensor values = z.select(2, other).flatten().contiguous();
    for (std::int64_t i = 0; i < 15; ++i) EXPECT_EQ(values.eq(values[i]).sum().item<std::int64_t>(), 1);
  }
}

TEST(DrawLatents, SharesTheRestWhenCrossed) {
  at::Generator generator = make_generator(9, "test");
  const at::Tensor z =
      draw_latents(4, {2, 0}, 5, 3, Sampling::crossed, Placement::independent, generator).view({5, 3, 4});
  for (const std::int64_t other : {1, 3}) {
    const at::Tensor values = z.select(2, other);
    EXPECT_TRUE(values.eq(values.narrow(0, 0, 1)).all().item<bool>());
    EXPECT_FALSE(values[0][0].eq(values[0][1]).item<bool>());
  }
}

TEST(DrawLatents, AreStandardNormalAndIndependent) {
  at::Generator generator = make_generator(10, "test");
  const at::Tensor z =
      draw_latents(3, {1}, 20000, 1, Sampling::nested, Placement::independent, generator).to(at::kDouble);
  EXPECT_LT(z.mean(0).abs().max().item<double>(), 4 / std::sqrt(20000.0));
  const at::Tensor covariance = at::matmul(z.t(), z) / 20000;
  EXPECT_LT((covariance - at::eye(3, at::kDouble)).abs().max().item<double>(), 4 * std::sqrt(2 / 20000.0));
}

TEST(DrawLatents, HandlesAllFactorsAndNone) {
  at::Generator generator = make_generator(10, "test");
  const at::Tensor all =
      draw_latents(2, {0, 1}, 3, 2, Sampling::nested, Placement::independent, generator).view({3, 2, 2});
  EXPECT_TRUE(all.select(1, 0).eq(all.select(1, 1)).all().item<bool>());
  EXPECT_EQ(draw_latents(2, {}, 3, 2, Sampling::crossed, Placement::independent, generator).sizes(),
            at::IntArrayRef({6, 2}));
}

TEST(Slices, MultiplyToTheCountAndAreAsEqualAsItsFactorsAllow) {
  using Sizes = std::vector<std::int64_t>;
  EXPECT_EQ(slices(200, 1), Sizes({200}));
  EXPECT_EQ(slices(200, 2), Sizes({20, 10}));
  EXPECT_EQ(slices(32, 2), Sizes({8, 4}));
  EXPECT_EQ(slices(64, 3), Sizes({4, 4, 4}));
  EXPECT_EQ(slices(7, 3), Sizes({7, 1, 1}));
  EXPECT_EQ(slices(1, 2), Sizes({1, 1}));
}

/// Which of `count` slices of equal probability each value of N(0, 1) is in.
std::vector<std::int64_t> slices_of(const at::Tensor& values, std::int64_t count) {
  const at::Tensor index = (at::special_ndtr(values.to(at::kDouble)) * static_cast<double>(count))
                               .floor()
                               .to(at::kLong)
                               .contiguous();
  return {index.data_ptr<std::int64_t>(), index.data_ptr<std::int64_t>() + index.numel()};
}

TEST(StratifiedDraws, GiveOneDrawToEachCellNextToTheOneBefore) {
  at::Generator generator = make_generator(12, "test");
  const at::Tensor z = draw_latents(3, {0, 2}, 60, 1, Sampling::crossed, Placement::stratified, generator);
  const std::vector<std::int64_t> sizes = slices(60, 2);
  const auto first = slices_of(z.select(1, 0), sizes[0]), second = slices_of(z.select(1, 2), sizes[1]);
  std::set<std::pair<std::int64_t, std::int64_t>> cells;
  for (std::size_t i = 0; i < 60; ++i) {
    cells.insert({first[i], second[i]});
    if (i == 0) continue;
    EXPECT_EQ(std::abs(first[i] - first[i - 1]) + std::abs(second[i] - second[i - 1]), 1) << i;
  }
  EXPECT_EQ(cells.size(), 60U);
}

TEST(AntitheticDraws, ComeInPairsOfOppositeSign) {
  at::Generator generator = make_generator(14, "test");
  const at::Tensor z = draw_latents(3, {0, 1}, 6, 2, Sampling::crossed, Placement::antithetic, generator);
  const at::Tensor pairs = z.view({3, 2, 2, 3}).narrow(3, 0, 2);
  EXPECT_TRUE(at::equal(pairs.select(1, 0), -pairs.select(1, 1)));
  const auto draw = [&](std::int64_t outer) {
    draw_latents(2, {0}, outer, 1, Sampling::nested, Placement::antithetic, generator);
  };
  EXPECT_THROW(draw(7), Error);
  EXPECT_THROW(draw(2), Error);
}

// A net in base 2: each group of 8 has exactly one point in every slice of 1/8 of each factor.
TEST(SobolDraws, AreBalancedInEachGroup) {
  at::Generator generator = make_generator(15, "test");
  ASSERT_EQ(group_size(Placement::sobol, 200), 8);
  const at::Tensor z = draw_latents(4, {0, 1, 3}, 200, 1, Sampling::nested, Placement::sobol, generator);
  for (const std::int64_t factor : {0, 1, 3}) {
    const auto slice = slices_of(z.select(1, factor), 8);
    for (std::size_t first = 0; first < 200; first += 8)
      EXPECT_EQ(std::set(slice.begin() + static_cast<std::ptrdiff_t>(first),
                         slice.begin() + static_cast<std::ptrdiff_t>(first + 8))
                    .size(),
                8U);
  }
}

class EveryPlacement : public testing::TestWithParam<Placement> {};

TEST_P(EveryPlacement, IsStandardNormal) {
  at::Generator generator = make_generator(13, "test");
  const at::Tensor z =
      draw_latents(2, {0, 1}, 20000, 1, Sampling::nested, GetParam(), generator).to(at::kDouble);
  for (const auto& [moment, value] : {std::pair{1, 0.0}, {2, 1.0}, {3, 0.0}, {4, 3.0}})
    for (const std::int64_t factor : {0, 1})
      EXPECT_NEAR(z.select(1, factor).pow(moment).mean().item<double>(), value, 0.06 * moment) << moment;
  EXPECT_NEAR((z.select(1, 0) * z.select(1, 1)).mean().item<double>(), 0, 0.03);
}

INSTANTIATE_TEST_SUITE_P(Draws, EveryPlacement,
                         testing::Values(Placement::independent, Placement::antithetic, Placement::sobol,
                                         Placement::stratified),
                         [](const auto& test) { return std::string(name_of(test.param)); });

/// Row (a, b) has its factors from image a, and all of the rest from one other image.
TEST(LatinHypercube, GivesEveryCellOfEveryAxisOneDrawAndBindsNoAxes) {
  constexpr std::int64_t count = 5000, axes = 4;
  at::Generator generator = make_generator(11, "test");
  const at::Tensor z = latin_hypercube(count, axes, generator);
  ASSERT_EQ(z.sizes(), (at::IntArrayRef{count, axes}));
  EXPECT_EQ(z.scalar_type(), at::kFloat);
  const at::Tensor quantiles = at::special_ndtr(z.to(at::kDouble)) * count;
  const at::Tensor middles = at::arange(count, at::kDouble).unsqueeze(1) + 0.5;
  const at::Tensor off = std::get<0>(quantiles.sort(0)) - middles;  // at most half a cell, but for float32
  EXPECT_LT(off.abs().max().item<double>(), 0.51);
  const at::Tensor products = at::matmul(z.t(), z).to(at::kDouble) / count - at::eye(axes, at::kDouble);
  EXPECT_LT(products.abs().max().item<double>(), 4 / std::sqrt(static_cast<double>(count)));
  EXPECT_TRUE(z.equal([&] {
    at::Generator again = make_generator(11, "test");
    return latin_hypercube(count, axes, again);
  }()));
}

TEST(RecombineLatents, TakesTheFactorsOfOneImageAndTheRestOfAnother) {
  const at::Tensor latents =
      at::arange(5).view({5, 1}) * 10 + at::arange(4).view({1, 4});  // 10 image + dimension
  const auto image = [](const at::Tensor& value) { return at::floor_divide(value, 10); };
  for (const Sampling sampling : {Sampling::nested, Sampling::crossed}) {
    const at::Tensor rows = recombine_latents(latents, {0, 2}, 3, sampling).view({5, 3, 4});
    EXPECT_TRUE(at::equal(rows % 10, at::arange(4).expand({5, 3, 4})));
    const at::Tensor owner = at::arange(5).view({5, 1}).expand({5, 3});
    for (const int factor : {0, 2}) EXPECT_TRUE(at::equal(image(rows.select(2, factor)), owner));
    const at::Tensor other = image(rows.select(2, 1));
    EXPECT_TRUE(at::equal(other, image(rows.select(2, 3))));
    if (sampling == Sampling::crossed) {
      EXPECT_TRUE(at::equal(other, at::arange(3).expand({5, 3})));
      continue;
    }
    EXPECT_FALSE(at::eq(other, owner).any().item<bool>());
    for (int a = 0; a < 5; ++a) EXPECT_EQ(std::get<0>(at::_unique(other[a])).numel(), 3);
  }
}

TEST(RecombineLatents, NeedsMoreImagesThanOthersAreAskedFor) {
  EXPECT_THROW(recombine_latents(at::zeros({3, 2}), {0}, 3, Sampling::nested), Error);
}

}  // namespace
}  // namespace whence::flow
