// Modules of a generator whose parts are known, and how groupings are compared.
#include "whence/explain/modularity/modules.h"

#include "unit/modularity/generators.h"

namespace whence::modularity {
namespace {

using namespace test_support;
using test::contains;
using test::error_of;
using test::usage_error_of;

InfluenceMaps planted_maps() {
  Generator generator = make_generator(1, "test");
  return influence_maps(Cut(planted_generator()), draw_pairs(from_prior(6), 64, generator), {});
}

const GroupingOptions kSharp = {.window = 1};

TEST(BinaryMaps, SmoothAndThreshold) {
  Tensor maps = at::zeros({3, 6, 6}, at::kDouble);
  maps[0][2][2] = 9;
  maps[1] = at::arange(36).view({6, 6});
  const Tensor binary = binary_maps(maps, {.window = 3});
  Tensor square = at::zeros({6, 6}, at::kDouble);
  square.narrow(0, 1, 3).narrow(1, 1, 3).fill_(1);
  EXPECT_TRUE(at::equal(binary[0], square));  // the window carries one pixel to its eight neighbours
  EXPECT_EQ(binary[2].sum().item<double>(), 0);
  // numpy.percentile(arange(36), 75) is 26.25: nine values lie above it.
  EXPECT_TRUE(at::equal(binary_maps(maps, kSharp)[1], maps[1].gt(26.25).to(at::kDouble)));
  EXPECT_TRUE(contains(usage_error_of([&] { binary_maps(maps, {.window = 2}); }), "odd number"));
}

TEST(Modules, OfPlantedCausesAreExact) {
  Generator generator = make_generator(2, "test");
  const Modules modules = find_modules(planted_maps().all(), 3, kSharp, generator);
  EXPECT_EQ(modules.labels, (std::vector<std::int64_t>{0, 0, 0, 1, 1, 2}));
  EXPECT_EQ(modules.channels_of(1), (Channels{3, 4}));
  const Tensor quarters = planted_patterns().index_select(0, at::tensor({0, 3, 5}, at::kLong)).gt(0);
  EXPECT_TRUE(at::equal(modules.regions(), quarters));
  EXPECT_LT(largest_difference(modules.templates, quarters.to(at::kDouble) / 4),
            1e-9);  // 16 pixels, length 1
}

/// In the mean over colours all channels act on the same half; only their colours tell them apart.
TEST(Modules, PerColour) {
  InfluenceOptions options;
  options.per_colour = true;
  Generator generator = make_generator(1, "test");
  const InfluenceMaps maps =
      influence_maps(Cut(coloured_generator()), draw_pairs(from_prior(6), 64, generator), options);
  const Modules modules = find_modules(maps.all(), 3, kSharp, generator);
  EXPECT_EQ(modules.labels, (std::vector<std::int64_t>{0, 0, 0, 1, 1, 2}));
  ASSERT_EQ(modules.templates.sizes(), at::IntArrayRef({3, 3, 8, 8}));
  const Tensor regions = modules.regions();
  for (std::int64_t m = 0; m < 3; ++m) {
    EXPECT_TRUE(regions[m][m].narrow(1, 0, 4).all().item<bool>()) << m;
    EXPECT_EQ(regions[m].sum().item<std::int64_t>(), 32) << m;  // nowhere else
  }
}

TEST(Modules, SilentChannelsBelongToNone) {
  Tensor maps = planted_maps().all().clone();
  maps[4].zero_();
  Generator generator = make_generator(2, "test");
  const Modules modules = find_modules(maps, 3, kSharp, generator);
  EXPECT_EQ(modules.channels_of(-1), (Channels{4}));
  EXPECT_EQ(adjusted_rand_index(modules.labels, {0, 0, 0, 1, -1, 2}), 1);
  EXPECT_TRUE(contains(error_of([&] { find_modules(at::ones_like(maps), 3, kSharp, generator); }),
                       "no modules to find"));
  EXPECT_TRUE(contains(usage_error_of([&] { find_modules(maps, 7, kSharp, generator); }),
                       "7 modules were asked of 6 channels"));
}

TEST(RandIndex, KnownValues) {
  EXPECT_EQ(adjusted_rand_index({0, 0, 1, 1}, {1, 1, 0, 0}), 1);
  // sklearn.metrics.adjusted_rand_score([0, 0, 1, 2], [0, 0, 1, 1])
  EXPECT_NEAR(adjusted_rand_index({0, 0, 1, 2}, {0, 0, 1, 1}), 0.5714285714285714, 1e-12);
  // sklearn.metrics.adjusted_rand_score([0, 0, 1, 1], [0, 1, 0, 1])
  EXPECT_NEAR(adjusted_rand_index({0, 0, 1, 1}, {0, 1, 0, 1}), -0.5, 1e-12);
  EXPECT_EQ(adjusted_rand_index({0, 0, 0}, {0, 0, 0}), 1);
}

TEST(Agreement, MatchesModulesBeforeItCompares) {
  Generator generator = make_generator(2, "test");
  const Modules one = find_modules(planted_maps().all(), 3, kSharp, generator);
  Modules other = one;
  other.templates = one.templates.index_select(0, at::tensor({2, 0, 1}, at::kLong));
  for (std::int64_t& label : other.labels) label = (label + 1) % 3;
  EXPECT_NEAR(agreement(one, other).cosine, 1, 1e-9);
  EXPECT_NEAR(agreement(one, other).rand, 1, 1e-9);
  other.templates = at::ones_like(one.templates);  // a quarter of the image each: cosine 1/2
  EXPECT_NEAR(agreement(one, other).cosine, 0.5, 1e-9);
}

TEST(Stability, FindsThePlantedRank) {
  Generator generator = make_generator(3, "test");
  const std::vector<RankStability> ranks = rank_stability(planted_maps(), 8, 3, kSharp, generator);
  ASSERT_EQ(ranks.size(), 5U);  // 2 to 6: there are six channels
  EXPECT_EQ(ranks[1].rank, 3);
  EXPECT_NEAR(ranks[1].halves.cosine, 1, 1e-6);
  EXPECT_NEAR(ranks[1].halves.rand, 1, 1e-6);
  EXPECT_EQ(stable_rank({{2, {0.99, 0.9}}, {3, {0.98, 0.85}}, {4, {0.98, 0.5}}}), 3);
  EXPECT_EQ(stable_rank({{2, {0.5, 0.9}}, {3, {0.9, 0.4}}}), 2);
}

}  // namespace
}  // namespace whence::modularity
