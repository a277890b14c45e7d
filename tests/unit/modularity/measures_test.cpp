// Measures of modularity where their values are known.
#include "whence/explain/modularity/measures.h"

#include "unit/modularity/generators.h"
#include "whence/explain/modularity/realism.h"

namespace whence::modularity {
namespace {

using namespace test_support;

TEST(SwapMeasures, EqualTheirFormulas) {
  Generator generator = make_generator(1, "test");
  const Tensor a = at::rand({40, 3, 5, 5}, generator), b = at::rand({40, 3, 5, 5}, generator),
               h = at::rand({40, 3, 5, 5}, generator);
  Tensor region = at::zeros({5, 5}, at::kBool);
  region.narrow(0, 0, 2).fill_(true);
  SwapSums sums(region);
  sums.add(a.narrow(0, 0, 15), b.narrow(0, 0, 15), h.narrow(0, 0, 15));
  sums.add(a.narrow(0, 15, 25), b.narrow(0, 15, 25), h.narrow(0, 15, 25));
  const SwapMeasures found = sums.measures();
  const Tensor change = (h - a).to(at::kDouble).square(), along = ((h - a) * (b - a)).to(at::kDouble),
               all = (b - a).to(at::kDouble).square();
  const auto in = [&](const Tensor& x) { return x.narrow(2, 0, 2).sum().item<double>(); };
  const auto out = [&](const Tensor& x) { return x.narrow(2, 2, 3).sum().item<double>(); };
  EXPECT_NEAR(found.inside.mean, in(change) / change.sum().item<double>(), 1e-6);
  EXPECT_NEAR(found.selectivity.mean, in(along) / in(all)-out(along) / out(all), 1e-6);
  EXPECT_NEAR(found.change, change.mean().item<double>(), 1e-6);
  EXPECT_GT(found.inside.se, 0);
}

TEST(Modularity, OfPlantedCausesIsComplete) {
  const Cut cut(planted_generator());
  Generator generator = make_generator(2, "test");
  const GroupingOptions sharp{.window = 1};
  const Modules modules = find_modules(
      influence_maps(cut, draw_pairs(from_prior(6), 64, generator), {}).all(), 3, sharp, generator);
  std::vector<std::int64_t> seen(kSwaps.size(), 0);
  const Modularity found =
      measure_modularity(cut, modules, draw_pairs(from_prior(6), 100, generator), {.random_sets = 4},
                         generator, [&](const SwappedImages& images) {
                           seen[static_cast<std::size_t>(images.swap)] += images.images.size(0);
                         });
  EXPECT_EQ(seen, (std::vector<std::int64_t>{300, 1200, 300, 300}));
  for (const auto& of_module : found.of_modules)
    for (const Swap swap : {Swap::module, Swap::hard_blend, Swap::soft_blend}) {
      EXPECT_NEAR(of_module[static_cast<std::size_t>(swap)].inside.mean, 1, 1e-6) << name_of(swap);
      EXPECT_NEAR(of_module[static_cast<std::size_t>(swap)].selectivity.mean, 1, 1e-6) << name_of(swap);
    }
  EXPECT_GT(found.margin.mean, 0.2);
  EXPECT_LT(found.selectivity[static_cast<std::size_t>(Swap::random_channels)].mean, 0.8);
  // Fifteen pairs of channels, of which 3 + 1 + 0 act in one place.
  EXPECT_NEAR(found.map_cosine, 4.0 / 15, 1e-9);
  EXPECT_NEAR(found.overlap, 4.0 / 15, 1e-9);
}

/// A generator in which every channel acts everywhere has no modules.
TEST(Modularity, WithoutModulesTheMarginIsNothing) {
  nn::Network network = planted_generator();
  Generator generator = make_generator(3, "test");
  const at::NoGradGuard no_grad;
  network.state()[1].tensor.copy_(at::randn({6, 1, 8, 8}, generator));
  const Cut cut(network);
  const Modules modules =
      find_modules(influence_maps(cut, draw_pairs(from_prior(6), 64, generator), {}).all(), 2, {}, generator);
  const Modularity planted = measure_modularity(Cut(planted_generator()), modules,
                                                draw_pairs(from_prior(6), 100, generator), {}, generator);
  EXPECT_LT(std::abs(planted.margin.mean), 0.25);  // modules of another generator fit no better than chance
  EXPECT_LT(
      measure_modularity(cut, modules, draw_pairs(from_prior(6), 100, generator), {}, generator).margin.mean,
      0.25);
}

/// An encoder that knows the planted causes: originals and hybrids come back as they are, blends of pixels do too, but a picture of noise
/// does not.
TEST(Reencoding, IsTheErrorThatEncoderAndDecoderLeave) {
  nn::Network network("inverse", {1, 8, 8});
  network.add("flatten", nn::Flatten{});
  network.add("mean", nn::Linear{6, false});
  network.add("log_variance", nn::Linear{6, false}, {"flatten"});
  network.set_outputs({"mean", "log_variance"});
  const Tensor patterns = planted_patterns().flatten(1);
  network.load_state({{"mean.weight", patterns / patterns.square().sum(1, true)},
                      {"log_variance.weight", at::zeros({6, 64})}});
  const auto encoder = models::as_encoder(network);
  const auto decoder = models::as_decoder(planted_generator());
  Generator generator = make_generator(5, "test");
  const Tensor noise = at::rand({9, 1, 8, 8}, generator);
  ReencodingSums sums(*encoder, *decoder);
  SwappedImages images{0, Swap::module, true, decoder->decode(at::eye(6).narrow(0, 5, 1)), noise, noise};
  sums.add(images);
  images.is_first_of_batch = false;
  sums.add(images);
  const Reencoding found = sums.result();
  EXPECT_NEAR(found.originals.mean, 0, 1e-5);
  const Tensor again = decoder->decode(encoder->encode(noise).mean);
  EXPECT_NEAR(found.swaps[0].mean, (again - noise).square().sum().item<double>() / 9, 1e-3);
  EXPECT_EQ(found.swaps[1].mean, 0);
}

TEST(Untrained, HasNewWeightsAndTheSameLayers) {
  const nn::Network network = branching_generator(1);
  Generator generator = make_generator(4, "test");
  const nn::Network fresh = untrained(network, generator);
  EXPECT_EQ(fresh.layers().size(), network.layers().size());
  EXPECT_FALSE(at::equal(fresh.state()[0].tensor, network.state()[0].tensor));
  for (const nn::NamedTensor& entry : fresh.state())
    if (entry.name.ends_with("running_var")) {
      EXPECT_TRUE(at::equal(entry.tensor, at::ones_like(entry.tensor)));
    }
}

}  // namespace
}  // namespace whence::modularity
