// A map in front of a frozen generator: it is what it says, and finds causes that no direction holds.
#include "whence/explain/gce/latent_map.h"

#include <gtest/gtest.h>

#include <cmath>

#include "support/errors.h"
#include "support/files.h"
#include "unit/gce/frozen_models.h"
#include "whence/core/files.h"
#include "whence/explain/flow/information_flow.h"
#include "whence/explain/gce/in_front.h"
#include "whence/interchange/safetensors.h"
#include "whence/interchange/torchscript.h"

namespace whence::gce {
namespace {

constexpr std::int64_t kLatents = 9, kCausal = 2;

/// With weights that turn much.
LatentMap bent_map(const LatentMapOptions& options = {.moved = 7, .couplings = 3, .hidden = 5}) {
  Generator generator = make_generator(3, "test");
  LatentMap map(orthogonal(kLatents, 4), kCausal, options, generator);
  const at::NoGradGuard no_grad;
  for (const nn::NamedTensor& own : map.parameters().state())
    own.tensor.add_(at::randn(own.tensor.sizes(), generator));
  return map;
}

Tensor normal(std::int64_t count, std::uint64_t seed) {
  Generator generator = make_generator(seed, "test");
  return at::randn({count, kLatents}, generator);
}

TEST(LatentMap, StartsAsTheRotation) {
  Generator generator = make_generator(1, "test");
  const Tensor rotation = orthogonal(kLatents, 2), u = normal(20, 3);
  const LatentMap map(rotation, kCausal, {.moved = 7}, generator);
  const Tensor z = map.codes(u);
  // alpha moves z along its own columns; the betas may stand in another order.
  Tensor moved = u.clone();
  moved.select(1, 1).add_(1);
  EXPECT_TRUE(at::allclose(map.codes(moved) - z, rotation.t().narrow(0, 1, 1).expand_as(z), 1e-4, 1e-5));
  EXPECT_TRUE(at::allclose(z.square().sum(1), u.square().sum(1), 1e-4, 1e-4));
}

TEST(LatentMap, IsUndoneByItsInverse) {
  const LatentMap map = bent_map();
  const Tensor u = normal(50, 5), z = map.codes(u);
  EXPECT_TRUE(at::allclose(map.factors(z), u, 1e-4, 1e-4));
  const Tensor straight = u.mm(orthogonal(kLatents, 4).t());
  EXPECT_GT((z - straight).abs().mean().item<double>(), 0.1) << "the test's map must not be straight";
}

/// What keeps N(0, I): the length of u, and volume. The Jacobian by numeric differences, float64 in effect by the size of the step.
TEST(LatentMap, KeepsThePrior) {
  const LatentMap map = bent_map();
  const Tensor u = normal(4, 6);
  EXPECT_TRUE(at::allclose(map.codes(u).square().sum(1), u.square().sum(1), 1e-4, 1e-4));
  constexpr double step = 1e-2;
  for (std::int64_t i = 0; i < u.size(0); ++i) {
    const Tensor around = step * at::eye(kLatents), at_u = u.narrow(0, i, 1);
    const Tensor jacobian = (map.codes(at_u + around) - map.codes(at_u - around)) / (2 * step);
    EXPECT_NEAR(std::abs(at::linalg_det(jacobian).item<double>()), 1, 0.02);
  }
  // The mean, variance and fourth moment of each latent.
  const Tensor z = map.codes(normal(40'000, 7));
  EXPECT_LT(z.mean(0).abs().max().item<double>(), 0.03);
  EXPECT_LT((z.t().mm(z) / 40'000 - at::eye(kLatents)).abs().max().item<double>(), 0.04);
  EXPECT_LT((z.pow(4).mean(0) - 3).abs().max().item<double>(), 0.3);
}

TEST(LatentMap, TheNetworkAndTheFileComputeTheSame) {
  const test::TemporaryFolder folder;
  for (const std::int64_t moved : {7, 9}) {  // with and without factors that take no part
    const LatentMap map = bent_map({.moved = moved, .couplings = 4, .hidden = 3});
    const Tensor u = normal(30, 8), z = map.codes(u);
    EXPECT_TRUE(at::allclose(map.network().forward(u), z, 1e-4, 1e-5));
    map.save(folder / "map.safetensors");
    EXPECT_TRUE(at::equal(LatentMap::load(folder / "map.safetensors").codes(u), z));
    nn::Network generator("generator", {kLatents});
    generator.add("rotation", nn::Linear{12});  // a name that the map has, too
    generator.add("tanh", nn::Tanh{});
    Generator draws = make_generator(9, "test");
    nn::initialise(generator, {}, draws);
    nn::export_torchscript(in_front(map.network(), generator), folder / "both.pt");
    const auto both = models::load_decoder(folder / "both.pt", kLatents);
    EXPECT_TRUE(at::allclose(both->decode(u), generator.forward(z), 1e-4, 1e-5));
  }
}

/// The answer depends on the sign of a product: no direction has any flow, and one factor can have all.
class ReadsProduct final : public models::Classifier {
 public:
  Tensor logits(const Tensor& x) const override {
    const Tensor pixels = x.flatten(1);
    const Tensor score = 6 * pixels.select(1, 0) * pixels.select(1, 1);
    return at::stack({-score, score}, 1);
  }
  std::int64_t classes() const override { return 2; }
};

TEST(LatentMap, FindsACauseThatNoDirectionHolds) {
  const Turned decoder(orthogonal(6, 11));
  const ReadsProduct classifier;
  Generator generator = make_generator(12, "test");
  const DirectionOptions directions{.samples = 512};
  const Tensor found = causal_directions(decoder, classifier, directions, generator);
  const Tensor rotation = ordered_rotation(decoder, classifier, found, directions, generator);
  const LatentMap map = trained_latent_map(decoder, classifier, rotation, 1,
                                           {.couplings = 4,
                                            .hidden = 24,
                                            .draws = 6000,
                                            .held_out = 1000,
                                            .steps = 600,
                                            .batch = 256,
                                            .learning_rate = 1e-2},
                                           generator);
  const auto flow_of_alpha = [&](const nn::Network& front) {
    Generator draws = make_generator(13, "test");
    flow::FlowOptions options;
    options.outer = options.inner = 100;
    return flow::information_flow(*in_front(front, decoder), classifier, {0}, options, draws).nats;
  };
  EXPECT_LT(flow_of_alpha(rotation_network(rotation)), 0.12);
  EXPECT_GT(flow_of_alpha(map.network()), 0.24);
}

TEST(LatentMap, OrderedRotationPutsWhatMovesFirst) {
  const Tensor matrix = orthogonal(6, 11);
  const Turned decoder(matrix);
  Generator generator = make_generator(14, "test");
  const Tensor first = matrix[0].unsqueeze(1);
  const Tensor rotation = ordered_rotation(decoder, ReadsProduct(), first, {.samples = 256}, generator);
  EXPECT_TRUE(at::allclose(rotation.t().mm(rotation), at::eye(6), 1e-4, 1e-5));
  EXPECT_TRUE(at::allclose(rotation.narrow(1, 0, 1), first, 1e-4, 1e-5));
  EXPECT_GT(std::abs(rotation.select(1, 1).dot(matrix[1]).item<double>()), 0.999);
}

TEST(LatentMap, BadInput) {
  Generator generator = make_generator(1, "test");
  EXPECT_TRUE(test::contains(
      test::usage_error_of([&] { LatentMap(orthogonal(3, 1), 2, {}, generator); }),
      "3 factors take part in the latent map; it needs the causal ones and two more, 4 or more"));
  const test::TemporaryFolder folder;
  nn::save_safetensors(folder / "other.safetensors", {{"weight", at::ones({2})}});
  EXPECT_TRUE(test::contains(test::error_of([&] { LatentMap::load(folder / "other.safetensors"); }),
                             "is no latent map: it has no tensor rotation"));
  nn::save_safetensors(folder / "flat.safetensors",
                       {{"rotation", at::ones({4})}, {"parts", at::tensor({1, 1, 1, 1}, at::kLong)}});
  EXPECT_TRUE(test::contains(test::error_of([&] { LatentMap::load(folder / "flat.safetensors"); }),
                             "its rotation is no matrix"));
}

}  // namespace
}  // namespace whence::gce
