// Optima that are known, regularizers that do what they are for, seeds, and bad input.
#include "whence/explain/visualization/visualization.h"

#include <gtest/gtest.h>
#include <signal.h>

#include "support/errors.h"
#include "unit/visualization/cases.h"
#include "whence/models/zoo/zoo.h"
#include "whence/platform/interrupt.h"

namespace whence::visualization {
namespace {

using namespace known;
using whence::test::contains;
using whence::test::error_of;
using whence::test::usage_error_of;

const nn::Shape kImage = {1, 4, 5};

Objective class_one() { return {Goal::logit, "", {1}, {}, {}}; }

Options plain(std::int64_t steps = 300) {
  Options options = Options().without_regularizers();
  options.steps = steps;
  return options;
}

/// The largest <w, x> with 0 <= x <= 1 is at 1 where w > 0, and the smallest where w < 0.
TEST(Visualization, ALinearClassifiersOptimumInTheBoxIsItsSigns) {
  const at::Tensor weights = at::linspace(-1, 2, 20).view({1, 4, 5});
  const Linear classifier(weights);
  const Response response(classifier, class_one());
  Options options = plain();
  options.count = 2;
  const Visualizations most = visualize(response, options, nullptr, nullptr, kImage);
  const at::Tensor signs = weights.gt(0).to(at::kFloat);
  for (std::int64_t i = 0; i < 2; ++i) EXPECT_TRUE(at::allclose(most.images[0][i], signs, 0, 1e-4));
  EXPECT_NEAR(most.responses[0][0].item<double>(), (weights * signs).sum().item<double>(), 1e-3);
  options.negative = true;
  EXPECT_TRUE(
      at::allclose(visualize(response, options, nullptr, nullptr, kImage).images[0][0], 1 - signs, 0, 1e-4));
}

/// Erhan et al. 2009: under |x| = n the optimum is n w / |w|.
TEST(Visualization, ALinearClassifiersOptimumOfANormIsItsDirection) {
  const at::Tensor weights = at::linspace(0.1, 2, 20).view({1, 4, 5});
  const Linear classifier(weights);
  const Response response(classifier, class_one());
  Options options = plain(1500);
  options.norms = at::tensor({1.5F});
  const Visualizations found = visualize(response, options, nullptr, nullptr, kImage);
  EXPECT_TRUE(at::allclose(found.images[0][0], 1.5 * weights / weights.norm(), 0, 5e-3));
  EXPECT_NEAR(found.responses[0][0].item<double>(), 1.5 * weights.norm().item<double>(), 1e-3);
}

/// The first of many starts is the only one of one, so the best is at least as good; steps this small change nothing.
TEST(Visualization, TheBestOfManyStartsIsTaken) {
  const at::Tensor weights = at::linspace(-1, 2, 20).view({1, 4, 5});
  const Linear classifier(weights);
  const Response response(classifier, class_one());
  Options options = plain(1);
  options.count = 3;
  options.learning_rate = 1e-12;
  const auto responses = [&](std::int64_t starts, bool negative) {
    options.starts = starts;
    options.negative = negative;
    return visualize(response, options, nullptr, nullptr, kImage).responses;
  };
  EXPECT_TRUE(responses(50, false).gt(responses(1, false) + 0.1).all().item<bool>());
  EXPECT_TRUE(responses(50, true).lt(responses(1, true) - 0.1).all().item<bool>());
  options.starts = -1;
  EXPECT_TRUE(contains(usage_error_of([&] { visualize(response, options, nullptr, nullptr, kImage); }),
                       "starts is -1"));
}

/// x = (z + 4) / 8.
class Ruler final : public models::Decoder {
 public:
  at::Tensor decode(const at::Tensor& z) const override { return ((z + 4) / 8).view({-1, 1, 4, 5}); }
  std::int64_t latents() const override { return 20; }
};

/// In the ball |z| <= r sqrt(D) the optimum of <w, z> is r sqrt(D) w / |w|.
TEST(Visualization, ALearnedPriorsOptimumLiesOnItsSphere) {
  const at::Tensor weights = at::linspace(-1, 2, 20).view({1, 4, 5});
  const Linear classifier(weights);
  const Response response(classifier, class_one());
  Options options = plain(1500);
  options.parametrization = "prior";
  options.code_radius = 0.5;
  const Ruler decoder;
  const Visualizations found = visualize(response, options, nullptr, &decoder, kImage);
  const at::Tensor expected = 0.5 * std::sqrt(20.0) * weights.flatten() / weights.norm();
  EXPECT_TRUE(at::allclose(found.codes[0][0], expected, 0, 1e-2));
  EXPECT_TRUE(at::allclose(found.images[0][0].flatten(), (expected + 4) / 8, 0, 2e-3));
}

struct Rig {
  std::unique_ptr<models::Classifier> classifier = smooth();
  at::Tensor data = random_images({40, 1, 5, 6}, 9);
  ImageStatistics statistics = statistics_of(data);
};

class Still final : public models::Decoder {
 public:
  at::Tensor decode(const at::Tensor& z) const override { return z.sigmoid().view({-1, 1, 5, 6}); }
  std::int64_t latents() const override { return 30; }
};

/// Every parametrization on every goal: higher than where it began, in [0, 1], and the same bits from the same seed.
TEST(Visualization, EveryParametrizationRaisesEveryGoal) {
  const Rig rig;
  const Still decoder;
  const at::Tensor directions = at::tensor({1.0F, -2.0F, 0.5F}).view({1, 3});
  for (const Parametrization& each : parametrizations())
    for (const Objective& asked : std::vector<Objective>{{Goal::probability, "", {0, 1}, {}, {}},
                                                         {Goal::logit, "", {0, 1}, {}, {}},
                                                         {Goal::neuron, "conv2", {0, 1}, {}, {}},
                                                         {Goal::channel, "conv1", {0, 1}, {}, {}},
                                                         {Goal::layer, "conv1", {}, {}, {}},
                                                         {Goal::direction, "conv2", {}, {}, directions}}) {
      const Response response(*rig.classifier, asked);
      Options options;
      options.parametrization = each.name;
      options.count = 2;
      options.robustness = {0.5, 3, 0.02, 0.02};
      options.seed = 5;
      const auto after = [&](std::int64_t steps) {
        options.steps = steps;
        return visualize(response, options, &rig.statistics, &decoder);
      };
      const Visualizations begun = after(1), found = after(30), again = after(30);
      const std::string what = fmt::format("{} {}", each.name, name_of(asked.goal));
      EXPECT_GT((found.responses - begun.responses).min().item<double>(), 0) << what;
      EXPECT_TRUE(at::equal(found.images, again.images)) << what;
      EXPECT_GE(found.images.min().item<double>(), 0) << what;
      EXPECT_LE(found.images.max().item<double>(), 1) << what;
      EXPECT_EQ(found.images.sizes(), at::IntArrayRef({response.units(), 2, 1, 5, 6})) << what;
      EXPECT_FALSE(at::equal(found.images[0][0], found.images[0][1])) << what;
      options.seed = 6;
      EXPECT_FALSE(at::equal(found.images, after(30).images)) << what;
    }
}

TEST(Visualization, RegularizersDoWhatTheyAreFor) {
  const Rig rig;
  const Response response(*rig.classifier, {Goal::logit, "", {0, 1, 2}, {}, {}});
  const auto found = [&](auto change) {
    Options options = plain(100);
    options.count = 3;
    change(options);
    return visualize(response, options, &rig.statistics).images;
  };
  const auto roughness = [](const at::Tensor& images) {
    return total_variation(images.flatten(0, 1)).mean().item<double>();
  };
  const at::Tensor control = found([](Options&) {});
  EXPECT_LT(roughness(found([](Options& o) { o.total_variation = 20; })), 0.5 * roughness(control));
  EXPECT_LT(roughness(found([](Options& o) { o.gaussian_blur = 1; })), 0.9 * roughness(control));
  EXPECT_LT(roughness(found([](Options& o) {
              o.bilateral_blur = 1;
              o.bilateral_range = 0.5;
            })),
            0.95 * roughness(control));
  const at::Tensor normed = found([](Options& o) { o.norms = at::tensor({1.0F, 2.0F, 1.5F}); });
  EXPECT_TRUE(at::allclose(normed.flatten(2).norm(2, 2).select(1, 0), at::tensor({1.0F, 2.0F, 1.5F}), 1e-3));
  const auto alike = [&](const at::Tensor& images) {
    const at::Tensor texture = response.with_texture(images.flatten(0, 1)).texture;
    return likeness(texture.view({3, 3, texture.size(1), texture.size(2)})).mean().item<double>();
  };
  EXPECT_LT(alike(found([](Options& o) { o.diversity = 30; })), alike(control) - 1e-3);
}

TEST(Visualization, RunsOnTheClassifiersOfTheZoo) {
  Generator generator = make_generator(1, "weights");
  for (nn::Network network : {models::base_cnn({.image = {3, 32, 32}, .classes = 3, .width = 2}),
                              models::vgg11({.image = {3, 32, 32}, .classes = 3, .width = 2}),
                              models::small_resnet({.image = {3, 32, 32}, .classes = 3, .width = 2})}) {
    nn::initialise(network, {.keeps_size = true}, generator);
    const auto classifier = models::as_classifier(network);
    Options options;
    options.steps = 3;
    options.total_variation = 1;
    for (const std::string& layer : layers_with_channels(*classifier->network())) {
      const Response response(*classifier, {Goal::channel, layer, {0}, {}, {}});
      EXPECT_TRUE(visualize(response, options).images.isfinite().all().item<bool>())
          << network.name() << layer;
    }
  }
}

/// Not a number from the second step on.
class Broken final : public models::Classifier {
 public:
  at::Tensor logits(const at::Tensor& x) const override {
    return at::stack({x.flatten(1).sum(1), (x.flatten(1).sum(1) - 1e9).log()}, 1);
  }
  std::int64_t classes() const override { return 2; }
};
class Gradientless final : public models::Classifier {
 public:
  at::Tensor logits(const at::Tensor& x) const override { return x.detach().flatten(1).narrow(1, 0, 2); }
  std::int64_t classes() const override { return 2; }
};

TEST(Visualization, BadInputIsOneSentence) {
  const Rig rig;
  const Response response(*rig.classifier, class_one());
  const auto error = [&](auto change, const ImageStatistics* statistics = nullptr,
                         const models::Decoder* decoder = nullptr) {
    Options options = plain(2);
    change(options);
    const std::string sentence = usage_error_of([&] { visualize(response, options, statistics, decoder); });
    EXPECT_FALSE(contains(sentence, "\n"));
    return sentence;
  };
  EXPECT_TRUE(contains(error([](Options& o) { o.parametrization = "fuorier"; }), "did you mean 'fourier'"));
  EXPECT_TRUE(contains(error([](Options& o) { o.parametrization = "maco"; }), "needs images of the data"));
  EXPECT_TRUE(contains(error([](Options& o) { o.parametrization = "prior"; }), "needs a generator"));
  const Ruler other;
  EXPECT_TRUE(contains(error([](Options& o) { o.parametrization = "prior"; }, nullptr, &other), "1x4x5"));
  EXPECT_TRUE(contains(error([](Options& o) {
                         o.parametrization = "fourier";
                         o.gaussian_blur = 1;
                       }),
                       "choose 'pixels'"));
  EXPECT_TRUE(contains(error([](Options& o) { o.steps = 0; }), "steps is 0"));
  EXPECT_TRUE(contains(error([](Options& o) { o.robustness.scale = 1; }), "below 1"));
  EXPECT_TRUE(contains(error([](Options& o) { o.total_variation = std::nan(""); }), "total_variation"));
  const Linear opaque(at::ones({1, 4, 5}));
  EXPECT_TRUE(
      contains(usage_error_of([&] { visualize(Response(opaque, class_one()), plain(2)); }), "3x32x32"));
  const Broken broken;
  EXPECT_TRUE(contains(
      error_of([&] { visualize(Response(broken, class_one()), plain(2), nullptr, nullptr, kImage); }),
      "NaN"));
  const Gradientless gradientless;
  EXPECT_TRUE(contains(
      error_of([&] { visualize(Response(gradientless, class_one()), plain(2), nullptr, nullptr, kImage); }),
      "gradients"));
}

}  // namespace
}  // namespace whence::visualization
