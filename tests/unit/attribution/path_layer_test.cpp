// Masks over the places of a layer: gradients against numeric ones, gains against their definition.
#include "explain/attribution/path_layer.h"

#include <gtest/gtest.h>

#include "support/errors.h"
#include "unit/attribution/pixel_generator.h"
#include "whence/explain/attribution/path_mask.h"

namespace whence::attribution {
namespace {

using namespace known;
using at::Tensor;

/// Behind "relu1" a convolution, so that a place's value matters to its neighbours.
nn::Network convolutions() {
  nn::Network network("two", {1, 6, 6});
  network.add("conv1", nn::Conv2d{3, 3, 1, 1});
  network.add("relu1", nn::Relu{});
  network.add("conv2", nn::Conv2d{2, 3, 1, 1});
  network.add("tanh", nn::Tanh{});
  network.add("flatten", nn::Flatten{});
  network.add("fc", nn::Linear{2});
  return initialised(std::move(network));
}

/// A path of `steps` images for each of two images.
Tensor paths_of_images(std::int64_t steps) {
  const Tensor ends = random_images(4, {1, 6, 6}, 8).view({2, 2, 1, 6, 6});
  const Tensor t = at::linspace(0, 1, steps).view({1, steps, 1, 1, 1});
  return (1 - t) * ends.narrow(1, 0, 1) + t * ends.narrow(1, 1, 1);
}

class PathLayer : public ::testing::Test {
 protected:
  double probability(const Tensor& maps, std::int64_t label) const {
    const Tensor x = at::zeros({1, 1, 6, 6});
    return network_.intervene(x, {{layer_, [&](const Tensor&) { return maps.unsqueeze(0); }}})
        .softmax(1)[0][label]
        .item<double>();
  }
  Tensor maps_of(const Tensor& image) const {
    return network_.activations(image.unsqueeze(0))[layer_][0].detach();
  }

  nn::Network network_ = convolutions();
  std::unique_ptr<models::Classifier> classifier_ = models::as_classifier(network_);
  nn::LayerId layer_ = network_.find("relu1");
  Tensor target_ = at::tensor({1, 0}, at::kLong);
};

TEST_F(PathLayer, PlacesShareTheRiseOfTheProbability) {
  const Tensor paths = paths_of_images(200);
  const Tensor map = layer_gradients_along(*classifier_, layer_, paths, target_, Score::probability, 150);
  ASSERT_EQ(map.sizes(), at::IntArrayRef({2, 1, 6, 6}));
  for (const std::int64_t image : {0, 1}) {
    const auto label = target_[image].item<std::int64_t>();
    const double rise =
        probability(maps_of(paths[image][199]), label) - probability(maps_of(paths[image][0]), label);
    EXPECT_NEAR(map[image].sum().item<double>(), rise, 1e-3 + 0.01 * std::abs(rise));
  }
}

/// A step so small that only the slope counts: each place's share is what changing it alone does.
TEST_F(PathLayer, APlacesShareIsItsOwnEffect) {
  const Tensor far = paths_of_images(2);
  const Tensor start = far.narrow(1, 0, 1),
               paths = at::cat({start, start + 1e-2 * (far.narrow(1, 1, 1) - start)}, 1);
  const Tensor map = layer_gradients_along(*classifier_, layer_, paths, target_, Score::probability, 64);
  const Tensor before = maps_of(paths[0][0]), way = maps_of(paths[0][1]) - before;
  for (const std::int64_t row : {0, 2, 5}) {
    Tensor one = at::zeros({1, 6, 6});
    one[0][row][3] = 1;
    const double effect = probability(before + one * way, 1) - probability(before, 1);
    EXPECT_NEAR(map[0][0][row][3].item<double>(), effect, 2e-6 + 0.05 * std::abs(effect)) << row;
  }
}

TEST_F(PathLayer, GainsAreTheirDefinition) {
  const Tensor paths = paths_of_images(4), masks = random_images(2, {1, 6, 6}, 3);
  const Tensor gains = layer_mask_gains(*classifier_, layer_, paths, target_, masks, 4);
  ASSERT_EQ(gains.sizes(), at::IntArrayRef({2, 3}));
  for (const std::int64_t image : {0, 1})
    for (const std::int64_t step : {0, 2}) {
      const auto label = target_[image].item<std::int64_t>();
      const Tensor here = maps_of(paths[image][step]), next = maps_of(paths[image][step + 1]);
      EXPECT_NEAR(gains[image][step].item<double>(),
                  probability(here + masks[image] * (next - here), label) - probability(here, label), 1e-6);
    }
}

TEST_F(PathLayer, PathMasksMayLieOnALayer) {
  const Tensor x = random_images(3, {1, 6, 6}), target = answers_to(*classifier_, x);
  const PixelGenerator generator(*classifier_, x.sizes().slice(1));
  Options options;
  options.generator = generator.model();
  options.of<ImagePath>() = {.steps = 8, .kind = "linear"};
  options.of<PathMask>().area = 0.2;
  options.of<PathMask>().layer = "relu1";
  const Attribution found = method("path_mask").run(*classifier_, x, target, options);
  EXPECT_EQ(found.values.sizes(), at::IntArrayRef({3, 1, 6, 6}));
  EXPECT_LE(found.values.mean({1, 2, 3}).max().item<double>(), 0.2 + 1e-6);
  EXPECT_TRUE(found.approximation_error.defined());
  const auto refused = [&](const models::Classifier& classifier) {
    return test::usage_error_of([&] { method("path_mask").run(classifier, x, target, options); });
  };
  options.of<PathMask>().solver = "published";
  EXPECT_TRUE(test::contains(refused(*classifier_), "path_mask_layer goes with the closed form"));
  options.of<PathMask>().solver = "closed";
  options.of<PathMask>().layer = "relu2";
  EXPECT_TRUE(test::contains(refused(*classifier_), "did you mean 'relu1'"));
  options.of<PathMask>().layer = "fc";
  EXPECT_TRUE(test::contains(refused(*classifier_), "a path mask needs a layer with height and width"));
  const Classifier function = with_logit([](const Tensor& images) { return images.sum({1, 2, 3}); });
  EXPECT_TRUE(test::contains(
      test::error_of([&] { method("path_mask").run(function, x, at::zeros_like(target), options); }),
      "path_mask_layer needs the classifier's layers"));
}

}  // namespace
}  // namespace whence::attribution
