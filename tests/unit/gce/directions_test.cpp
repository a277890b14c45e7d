// Causes in a frozen generator, where they are known.
#include "whence/explain/gce/directions.h"

#include <gtest/gtest.h>

#include "support/errors.h"
#include "unit/gce/frozen_models.h"
#include "whence/core/random.h"
#include "whence/explain/flow/information_flow.h"
#include "whence/explain/gce/in_front.h"

namespace whence::gce {
namespace {

double flow_of_first(const models::Decoder& decoder, const models::Classifier& classifier, bool rest) {
  Generator generator = make_generator(9, "test");
  flow::Factors which = {0};
  if (rest) {
    which.clear();
    for (std::int64_t i = 1; i < decoder.latents(); ++i) which.push_back(i);
  }
  return flow::information_flow(decoder, classifier, which, {}, generator).nats;
}

TEST(CausalDirections, AreTheRowThatTheClassifierReads) {
  const Tensor matrix = orthogonal(7, 1);
  const Turned decoder(matrix);
  const Reads classifier(false);
  Generator generator = make_generator(2, "test");
  const Tensor found = causal_directions(decoder, classifier, {}, generator);
  ASSERT_EQ(found.sizes(), at::IntArrayRef({7, 1}));
  EXPECT_NEAR(std::abs(found.squeeze(1).dot(matrix[0]).item<double>()), 1, 1e-5);
  const Tensor rotation = rotation_of(found);
  EXPECT_TRUE(at::allclose(rotation.t().mm(rotation), at::eye(7), 1e-5, 1e-5));
  EXPECT_TRUE(at::allclose(rotation.narrow(1, 0, 1), found, 1e-5, 1e-6));
  const auto turned = in_front(rotation_network(rotation), decoder);
  EXPECT_GT(flow_of_first(*turned, classifier, false), 0.55);
  EXPECT_NEAR(flow_of_first(*turned, classifier, true), 0, 0.01);
}

/// The mean gradient of an even function is 0; the main direction of its gradients is not.
TEST(CausalDirections, OfEffectsThatDifferInSign) {
  const Tensor matrix = orthogonal(6, 3);
  const Turned decoder(matrix);
  const Reads classifier(true);
  Generator generator = make_generator(4, "test");
  const Tensor found = causal_directions(decoder, classifier, {.samples = 512}, generator);
  EXPECT_NEAR(std::abs(found.squeeze(1).dot(matrix[0]).item<double>()), 1, 1e-4);
}

TEST(CausalDirections, RefinementRaisesTheFlow) {
  const Tensor matrix = orthogonal(5, 5);
  const Turned decoder(matrix);
  const Reads classifier(false);
  const Tensor start = at::eye(5).narrow(1, 0, 1);
  EXPECT_LT(std::abs(start.squeeze(1).dot(matrix[0]).item<double>()), 0.9);
  DirectionOptions options;
  options.steps = 120;
  options.learning_rate = 0.05;
  Generator generator = make_generator(6, "test");
  const Tensor found = refined_directions(decoder, classifier, start, options, generator);
  EXPECT_NEAR(found.norm().item<double>(), 1, 1e-5);
  EXPECT_GT(std::abs(found.squeeze(1).dot(matrix[0]).item<double>()), 0.99);
}

TEST(CausalDirections, TheNetworkThatIsSavedComputesTheSame) {
  nn::Network network("decoder", {4});
  network.add("fc", nn::Linear{12});
  network.add("rotation", nn::Reshape{{3, 2, 2}});
  network.add("sigmoid", nn::Sigmoid{});
  Generator generator = make_generator(7, "test");
  nn::initialise(network, {}, generator);
  const auto decoder = models::as_decoder(network);
  const Tensor rotation = orthogonal(4, 8), z = at::randn({3, 4}, generator);
  const nn::Network map = rotation_network(rotation);
  const auto turned = models::as_decoder(in_front(map, network));
  EXPECT_TRUE(at::allclose(turned->decode(z), in_front(map, *decoder)->decode(z), 1e-5, 1e-6));
  EXPECT_TRUE(at::allclose(turned->decode(z), decoder->decode(z.mm(rotation.t())), 1e-5, 1e-6));
}

TEST(CausalDirections, BadInput) {
  const Turned decoder(orthogonal(3, 1));
  Generator generator = make_generator(1, "test");
  EXPECT_TRUE(test::contains(
      test::usage_error_of([&] { causal_directions(decoder, Reads(false), {.causal = 4}, generator); }),
      "4 causal directions do not fit a decoder of 3 latents"));
}

}  // namespace
}  // namespace whence::gce
