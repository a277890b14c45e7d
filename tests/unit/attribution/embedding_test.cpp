// Embedding explanations of a classifier whose features are known.
#include "whence/explain/attribution/embedding.h"

#include <gtest/gtest.h>

#include "support/errors.h"
#include "unit/attribution/cases.h"

namespace whence::attribution {
namespace {

using namespace known;

constexpr std::int64_t kSide = 8, kPatch = 3, kFeatures = 6;

/// Of an image (.., kSide, kSide): patch 0 or 1, which class 1 is made of, or 2 .., which no class knows.
at::Tensor patch(const at::Tensor& images, std::int64_t i) {
  const std::int64_t places[kFeatures][2] = {{0, 0}, {5, 5}, {0, 5}, {5, 0}, {2, 2}, {3, 3}};
  return images.narrow(-2, places[i][0], kPatch).narrow(-1, places[i][1], kPatch);
}

/// Its features are the sums of patches; class 1 has the logit 2 (feature 0) + (feature 1).
nn::Network patches() {
  nn::Network network("patches", {1, kSide, kSide});
  network.add("flatten", nn::Flatten{});
  network.add("features", nn::Linear{kFeatures});
  network.add("relu", nn::Relu{});
  network.add("scores", nn::Linear{2});
  at::Tensor weight = at::zeros({kFeatures, kSide, kSide});
  for (std::int64_t i = 0; i < kFeatures; ++i) patch(weight[i], i).fill_(1);
  at::Tensor last = at::zeros({2, kFeatures});
  last[1][0] = 2;
  last[1][1] = 1;
  set(network, "features.weight", weight);
  set(network, "features.bias", at::full({kFeatures}, -1.5));
  set(network, "scores.weight", last);
  set(network, "scores.bias", at::zeros({2}));
  return network;
}

/// Each patch is bright in half of the images, by itself.
at::Tensor images(std::int64_t count, std::uint64_t seed) {
  at::Tensor x = 0.1 * random_images(count, {1, kSide, kSide}, seed);
  Generator generator = make_generator(seed, "patches");
  const at::Tensor on = at::rand({count, kFeatures}, generator) < 0.5;
  for (std::int64_t i = 0; i < kFeatures; ++i)
    patch(x, i).add_(0.5 * on.select(1, i).to(at::kFloat).view({-1, 1, 1, 1}));
  return x;
}

Options with_data() {
  Options options;
  options.training = images(600, 3);
  options.of<EmbeddingExplanation>().dimensions = 2;
  options.of<EmbeddingExplanation>().steps = 600;
  return options;
}

at::Tensor share_of_patch(const at::Tensor& maps, std::int64_t i) {
  return patch(maps, i).abs().sum({1, 2, 3}) / maps.abs().sum({1, 2, 3}).clamp_min(1e-12);
}

TEST(Embedding, IsFaithfulAndFindsWhatTheClassIsMadeOf) {
  const auto classifier = models::as_classifier(patches());
  const at::Tensor x = images(20, 11), target = all_of(1, 20);
  const Options options = with_explanation_networks(*classifier, target, with_data());
  const ExplanationNetwork& trained = *options.of<EmbeddingExplanation>().trained.at(1);
  EXPECT_LT(trained.unexplained, 0.05);

  const Attribution found = method("embedding").run(*classifier, x, target, options);
  EXPECT_LT(found.approximation_error.mean().item<double>(), 0.25);
  EXPECT_NEAR(
      (found.approximation_error * trained.deviation)[0].item<double>(),
      (embedding_maps({*classifier, x, target}, options).explained - found.scores)[0].abs().item<double>(),
      1e-4);
  // What the score is made of gets more than what it is not made of: here each patch is as bright as the others.
  const at::Tensor of_class = share_of_patch(found.values, 0) + share_of_patch(found.values, 1),
                   beside = share_of_patch(found.values, 2) + share_of_patch(found.values, 3);
  EXPECT_GT(of_class.mean().item<double>(), 3 * beside.mean().item<double>());
}

TEST(Embedding, SumsTheMapsOfItsDimensions) {
  const auto classifier = models::as_classifier(patches());
  const at::Tensor x = images(6, 12), target = all_of(1, 6);
  Options options = with_explanation_networks(*classifier, target, with_data());
  const EmbeddingMaps maps = embedding_maps({*classifier, x, target}, options);
  ASSERT_EQ(maps.maps.sizes(), at::IntArrayRef({6, 2, 1, kSide, kSide}));
  EXPECT_GE(maps.maps.min().item<float>(), 0);
  EXPECT_TRUE(at::allclose(maps.maps.sum({2, 3, 4}), at::ones({6, 2}), 1e-4));
  const at::Tensor weighed = maps.contributions.view({6, 2, 1, 1, 1}) * maps.maps;
  const auto shown = [&](std::int64_t k) {
    options.of<EmbeddingExplanation>().shown = k;
    return method("embedding").run(*classifier, x, target, options).values;
  };
  EXPECT_TRUE(at::allclose(shown(0), weighed.sum(1), 1e-4, 1e-5));
  EXPECT_TRUE(at::allclose(shown(1), weighed.select(1, 0), 1e-4, 1e-5));
  EXPECT_TRUE(at::allclose(shown(2), weighed.select(1, 1), 1e-4, 1e-5));
  EXPECT_GE(maps.contributions.select(1, 0).abs().mean().item<double>(),
            maps.contributions.select(1, 1).abs().mean().item<double>() * 0.5);
}

/// The price of likeness makes dimensions less alike, whatever else is asked for.
TEST(Embedding, IsMoreOrthogonalWhereThatIsAskedFor) {
  const auto classifier = models::as_classifier(patches());
  const auto alikeness = [&](double weight) {
    Options options = with_data();
    options.of<EmbeddingExplanation>().dimensions = 3;
    options.of<EmbeddingExplanation>().orthogonality = weight;
    return with_explanation_networks(*classifier, all_of(1, 1), options)
        .of<EmbeddingExplanation>()
        .trained.at(1)
        ->alikeness;
  };
  EXPECT_LT(alikeness(1), 0.7 * alikeness(0));
}

TEST(Embedding, SaysWhatIsMissing) {
  const auto classifier = models::as_classifier(patches());
  const at::Tensor x = images(2, 1);
  const auto ask = [&](const Options& options) {
    return [&, options] { method("embedding").run(*classifier, x, all_of(1, 2), options); };
  };
  test::expect_error(ask({}), {"embedding explanation", "learns from", "references"}, ExitCode::usage);
  Options options = with_data();
  options.of<EmbeddingExplanation>().layer = "featurs";
  test::expect_error(ask(options), {"featurs", "features"}, ExitCode::usage);
  options = with_data();
  options.of<EmbeddingExplanation>().shown = 3;
  test::expect_error(ask(options), {"embedding_shown is 3", "2 dimensions"}, ExitCode::usage);
}

}  // namespace
}  // namespace whence::attribution
