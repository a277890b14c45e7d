// Influence maps against their definition, hybrid by hybrid.
#include "whence/explain/modularity/influence.h"

#include "explain/modularity/upsampling.h"
#include "unit/modularity/generators.h"

namespace whence::modularity {
namespace {

using namespace test_support;
using test::contains;
using test::error_of;
using test::usage_error_of;

Pairs pairs_of(std::int64_t latents, std::int64_t count, std::uint64_t seed = 5) {
  Generator generator = make_generator(seed, "test/pairs");
  return draw_pairs(from_prior(latents), count, generator);
}

/// (channels, C, H, W)
Tensor slow_maps(const nn::Network& network, std::string_view layer, const Pairs& pairs,
                 Influence influence) {
  std::vector<Tensor> maps;
  const Tensor first = network.forward(pairs.first).to(at::kDouble);
  const std::int64_t channels = network.layers()[network.find(layer)].shape[0];
  for (std::int64_t k = 0; k < channels; ++k) {
    const Tensor hybrids = slow_hybrids(network, layer, pairs.first, pairs.second, {k}).to(at::kDouble);
    maps.push_back(influence == Influence::change ? (hybrids - first).square().mean(0) : hybrids.var(0));
  }
  return at::stack(maps);
}

TEST(InfluenceMaps, EqualTheirDefinition) {
  const nn::Network network = branching_generator(6);
  const Pairs pairs = pairs_of(5, 37);
  for (const std::string layer : {"maps", "conv1", "relu1", "conv2", "image"})
    for (const Influence influence : {Influence::change, Influence::variance}) {
      InfluenceOptions options;
      options.influence = influence;
      options.groups = 3;
      const Cut cut(network, layer);
      const Tensor slow = slow_maps(network, layer, pairs, influence);
      EXPECT_LT(relative_error(influence_maps(cut, pairs, options).all(), slow.mean(1)), 1e-4) << layer;
      options.per_colour = true;
      options.memory_bytes = 1;  // one sample at a time
      EXPECT_LT(relative_error(influence_maps(cut, pairs, options).all(), slow), 1e-4) << layer;
    }
}

TEST(JoinedUpsampling, ComputesTheSame) {
  nn::Network network("twice", {5});
  network.add("fc", nn::Linear{60});
  network.add("maps", nn::Reshape{{4, 3, 5}});
  network.add("up1", nn::UpsampleNearest2d{2});
  network.add("conv1", nn::Conv2d{6, 3, 1, 1, false});
  network.add("norm", nn::BatchNorm2d{});
  network.add("up2", nn::UpsampleNearest2d{2});
  network.add("conv2", nn::Conv2d{3, 3, 1, 1});
  network.add("up3", nn::UpsampleNearest2d{2});
  network.add("small", nn::Conv2d{3, 1});
  Generator generator = make_generator(8, "test");
  randomise(network, generator);
  const nn::Network joined = with_joined_upsampling(network);
  EXPECT_EQ(joined.layers().size(), network.layers().size() - 2);  // the last has a 1 x 1 kernel
  const Tensor z = at::randn({4, 5}, generator);
  EXPECT_LT(relative_error(joined.forward(z), network.forward(z).to(at::kDouble)), 1e-6);
}

TEST(InfluenceMaps, ArePreparedAsAsked) {
  const nn::Network network = branching_generator(6);
  const Pairs pairs = pairs_of(5, 16);
  InfluenceOptions options;
  const Tensor maps = influence_maps(Cut(network), pairs, options).all();
  options.symmetric = true;
  EXPECT_LT(largest_difference(influence_maps(Cut(network), pairs, options).all(), (maps + maps.flip(2)) / 2),
            1e-12);
  options.symmetric = false;
  options.relative = true;
  const Tensor relative = influence_maps(Cut(network), pairs, options).all();
  EXPECT_LT(largest_difference(relative, maps / maps.mean(0, true)), 1e-9);
}

TEST(InfluenceMaps, OfBothWaysAreThoseOfTwiceThePairs) {
  const nn::Network network = branching_generator(6);
  const Pairs pairs = pairs_of(5, 16);
  const Pairs twice{at::cat({pairs.first, pairs.second}), at::cat({pairs.second, pairs.first})};
  for (const Influence influence : {Influence::change, Influence::variance}) {
    InfluenceOptions options;
    options.influence = influence;
    options.both_ways = true;
    const InfluenceMaps maps = influence_maps(Cut(network), pairs, options);
    EXPECT_EQ(maps.pairs(), 16);
    EXPECT_LT(relative_error(maps.all(), slow_maps(network, "conv1", twice, influence).mean(1)), 1e-4);
  }
}

TEST(InfluenceMaps, MorePairsForASmallerError) {
  const Cut cut(branching_generator(6));
  for (const Influence influence : {Influence::change, Influence::variance}) {
    InfluenceOptions options;
    options.influence = influence;
    Generator generator = make_generator(3, "test"), again = make_generator(3, "test");
    const InfluenceMaps few = influence_maps_within(0, cut, from_prior(5), 32, options, generator);
    EXPECT_EQ(few.pairs(), 32);
    EXPECT_GT(few.relative_error(), 0.1);
    const InfluenceMaps many = influence_maps_within(0.1, cut, from_prior(5), 32, options, again);
    EXPECT_GT(many.pairs(), 64);
    EXPECT_LE(many.relative_error(), 0.1);
  }
}

TEST(InfluenceMaps, AreThoseOfAllPairsThatWereAdded) {
  const Cut cut(branching_generator(6));
  const Pairs one = pairs_of(5, 16), other = pairs_of(5, 48);
  InfluenceMaps both = influence_maps(cut, one, {});
  both.add(influence_maps(cut, other, {}));
  EXPECT_EQ(both.pairs(), 64);
  const Tensor weighed =
      influence_maps(cut, one, {}).all() / 4 + influence_maps(cut, other, {}).all() * 3 / 4;
  EXPECT_LT(relative_error(both.all(), weighed), 1e-9);
}

/// Of a linear generator they are known: (a_2 - a_1)^2 pattern^2.
TEST(InfluenceMaps, OfPlantedCauses) {
  const nn::Network network = planted_generator();
  const Pairs pairs = pairs_of(6, 64);
  const Tensor size = (pairs.second - pairs.first).to(at::kDouble).square().mean(0);
  const Tensor known = size.view({6, 1, 1}) * planted_patterns().to(at::kDouble).square();
  const InfluenceMaps maps = influence_maps(Cut(network), pairs, {});
  EXPECT_LT(relative_error(maps.all(), known), 1e-5);
  EXPECT_EQ(maps.pairs(), 64);
  // Over many draws (a_2 - a_1)^2 / 2 is chi-squared with one degree of freedom: its deviation is sqrt(2) of its mean.
  const double error = influence_maps(Cut(network), pairs_of(6, 4096), {}).relative_error();
  EXPECT_NEAR(error, std::sqrt(2.0 / 4096), 0.5 * std::sqrt(2.0 / 4096));
}

TEST(InfluenceMaps, GroupsOfPairsAreMapsOfTheirOwn) {
  const nn::Network network = branching_generator(7);
  const Pairs pairs = pairs_of(5, 20);
  InfluenceOptions options;
  options.groups = 2;
  const InfluenceMaps maps = influence_maps(Cut(network), pairs, options);
  const Pairs last{pairs.first.narrow(0, 10, 10), pairs.second.narrow(0, 10, 10)};
  EXPECT_LT(relative_error(maps.of_groups({1}), slow_maps(network, "conv1", last, Influence::change).mean(1)),
            1e-4);
}

TEST(InfluenceMaps, BadInput) {
  const nn::Network network = planted_generator();
  EXPECT_TRUE(contains(usage_error_of([&] { influence_maps(Cut(network), pairs_of(6, 1), {}); }),
                       "there are 1 pairs"));
  nn::Network constant = planted_generator();
  const at::NoGradGuard no_grad;
  constant.state()[0].tensor.zero_();
  EXPECT_TRUE(contains(error_of([&] { influence_maps(Cut(constant), pairs_of(6, 16), {}); }), "same image"));
  constant.state()[0].tensor.fill_(std::numeric_limits<float>::quiet_NaN());
  EXPECT_TRUE(contains(error_of([&] { influence_maps(Cut(constant), pairs_of(6, 16), {}); }), "NaN"));
}

TEST(Originals, AreDrawnWithoutReturnWhileThereAreEnough) {
  Generator generator = make_generator(1, "test");
  const Tensor codes = at::arange(10).view({10, 1});
  const Tensor drawn = from_codes(codes)(10, generator);
  EXPECT_TRUE(at::equal(std::get<0>(drawn.sort(0)), codes));
  EXPECT_EQ(from_codes(codes)(25, generator).size(0), 25);
}

}  // namespace
}  // namespace whence::modularity
