// Path-mask attribution: the closed form against exhaustive and gradient search, the gain against its definition.
#include "whence/explain/attribution/path_mask.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "support/errors.h"
#include "unit/attribution/cases.h"
#include "unit/attribution/pixel_generator.h"

namespace whence::attribution {
namespace {

using namespace known;
using at::Tensor;

/// A path of 5 images of 5 x 5 pixels for each of `count` images.
Tensor random_paths(std::int64_t count, std::uint64_t seed = 4) {
  const Tensor ends = random_images(2 * count, {1, 5, 5}, seed).view({count, 2, 1, 5, 5});
  const Tensor t = at::linspace(0, 1, 5).view({1, 5, 1, 1, 1});
  return (1 - t) * ends.narrow(1, 0, 1) + t * ends.narrow(1, 1, 1);
}

/// Two classes whose log-odds are a weak function of the pixels, so that probabilities are almost linear.
Classifier weak(double strength = 0.3) {
  const Tensor weight = at::linspace(-1, 2, 25).view({1, 5, 5}).cos();
  return with_logit([weight, strength](const Tensor& x) { return strength * (x * weight).sum({1, 2, 3}); });
}

TEST(PathGradients, SumToTheRiseOfTheScore) {
  const Classifier classifier = weak(2);
  const Tensor paths = random_paths(3), target = all_of(1, 3);
  const Tensor map = gradients_along(classifier, paths, target, Score::logit);
  const Tensor rise = scores_of(classifier, paths.select(1, 4), target, Score::logit) -
                      scores_of(classifier, paths.select(1, 0), target, Score::logit);
  EXPECT_TRUE(at::allclose(map.sum({1, 2, 3}), rise, 1e-4, 1e-5));  // a linear score: exact
}

TEST(MaskGain, IsItsDefinition) {
  const Classifier classifier = weak(2);
  const Tensor paths = random_paths(2), target = all_of(1, 2), mask = random_images(2, {1, 5, 5}, 9);
  const Tensor gains = mask_gains(classifier, paths, target, mask, 3);
  ASSERT_EQ(gains.sizes(), at::IntArrayRef({2, 4}));
  const auto probability = [&](const Tensor& x) {
    return classifier.logits(x.unsqueeze(0)).softmax(1)[0][1].item<double>();
  };
  for (const std::int64_t image : {0, 1})
    for (const std::int64_t i : {0, 3}) {
      const Tensor here = paths[image][i], next = paths[image][i + 1], m = mask[image];
      EXPECT_NEAR(gains[image][i].item<double>(), probability((1 - m) * here + m * next) - probability(here),
                  1e-6);
    }
  EXPECT_EQ(mask_gains(classifier, paths, target, at::zeros_like(mask)).abs().max().item<double>(), 0);
}

TEST(Blur, IsSymmetricAndKeepsSums) {
  Tensor one = at::zeros({1, 1, 7, 7});
  one[0][0][3][3] = 1;
  const Tensor spot = blurred(one, 1);
  EXPECT_NEAR(spot.sum().item<double>(), 1, 1e-6);
  const double side = std::exp(-0.5), whole = (1 + 2 * side) * (1 + 2 * side);
  EXPECT_NEAR(spot[0][0][3][3].item<double>(), 1 / whole, 1e-6);
  EXPECT_NEAR(spot[0][0][2][4].item<double>(), side * side / whole, 1e-6);
  // <blur a, b> = <a, blur b>, which the closed form rests on.
  const Tensor a = random_images(1, {1, 7, 7}, 1), b = random_images(1, {1, 7, 7}, 2);
  EXPECT_NEAR((blurred(a, 1.4) * b).sum().item<double>(), (a * blurred(b, 1.4)).sum().item<double>(), 1e-5);
}

/// All blurred masks of 9 pixels of a 3 x 3 image: none of at most the same area has a larger linear gain by more than what one
/// pixel less or more makes.
TEST(ClosedForm, IsTheBestOfAllMasks) {
  const Tensor gradients = at::randn({1, 1, 3, 3}, make_generator(5, "test/gradients"), at::kFloat);
  for (const double area : {0.2, 0.4, 0.7}) {
    const ClosedForm found = closed_form_masks(gradients, area, 0.8);
    const double size = found.masks.mean().item<double>(),
                 gain = (found.masks * gradients).sum().item<double>();
    EXPECT_LE(size, area + 1e-6);
    for (int bits = 0; bits < 512; ++bits) {
      Tensor chosen = at::zeros({1, 1, 3, 3});
      for (int i = 0; i < 9; ++i) chosen.view({9})[i] = bits >> i & 1;
      const Tensor mask = blurred(chosen, 0.8);
      if (mask.mean().item<double>() <= size) {
        EXPECT_LE((mask * gradients).sum().item<double>(), gain + 1e-5) << bits;
      }
    }
    // It is the optimum of gain - threshold * L1.
    const double best = gain - found.thresholds.item<double>() * 9 * size;
    for (int bits = 0; bits < 512; bits += 7) {
      Tensor chosen = at::zeros({1, 1, 3, 3});
      for (int i = 0; i < 9; ++i) chosen.view({9})[i] = bits >> i & 1;
      const Tensor mask = blurred(chosen, 0.8);
      EXPECT_LE(((mask * gradients).sum() - found.thresholds[0] * mask.sum()).item<double>(), best + 1e-5);
    }
  }
}

TEST(ClosedForm, LeavesOutWhatLowersTheGain) {
  const ClosedForm none = closed_form_masks(-at::ones({1, 1, 4, 4}), 0.5, 1);
  EXPECT_EQ(none.masks.abs().max().item<double>(), 0);
  const ClosedForm all = closed_form_masks(at::ones({1, 1, 4, 4}), 1, 1);
  EXPECT_TRUE(at::allclose(all.masks, blurred(at::ones({1, 1, 4, 4}), 1)));
}

TEST(OptimisedMask, WithAFixedWeightReachesTheClosedForm) {
  const Classifier classifier = weak();
  const Tensor paths = random_paths(2), target = all_of(1, 2);
  const Tensor gradients = gradients_along(classifier, paths, target, Score::probability);
  const ClosedForm closed = closed_form_masks(gradients, 0.3, 1);
  for (const std::int64_t image : {0, 1}) {
    MaskOptimization how;
    how.iterations = 1500;
    how.learning_rate = 0.1;
    how.normalised = false;
    how.weight = closed.thresholds[image].item<double>();
    const Tensor path = paths.narrow(0, image, 1), goal = target.narrow(0, image, 1);
    const auto value = [&](const Tensor& mask) {
      return mask_gains(classifier, path, goal, mask).sum().item<double>() -
             how.weight * mask.sum().item<double>();
    };
    const Tensor optimised = optimised_masks(classifier, path, goal, how).masks,
                 mask = closed.masks.narrow(0, image, 1);
    EXPECT_GT(value(mask), 0);
    EXPECT_NEAR(value(optimised), value(mask), 0.02 * value(mask));
    EXPECT_LT((optimised - mask).abs().mean().item<double>(), 0.05);
  }
}

/// The thesis' objective in float64, with numeric gradients and the same start.
TEST(OptimisedMask, FollowsTheThesis) {
  const Classifier classifier = weak(2);
  const Tensor path = random_paths(1), target = all_of(1, 1);
  MaskOptimization how;
  how.iterations = 12;
  how.learning_rate = 0.04;
  how.weight = 0.7;
  how.seed = 3;
  how.batch = 2;
  const OptimisedMasks found = optimised_masks(classifier, path, target, how);
  ASSERT_EQ(found.losses.sizes(), at::IntArrayRef({1, 12}));
  Generator generator = make_generator(3, "attribution/path_mask");
  Tensor v = at::randn({1, 1, 5, 5}, generator, at::kFloat).to(at::kDouble), m = at::zeros_like(v),
         s = at::zeros_like(v);
  const Tensor images = path[0].to(at::kDouble);
  const Tensor weight = 2 * at::linspace(-1, 2, 25).view({1, 5, 5}).cos().to(at::kDouble);
  const auto probability = [&](const Tensor& x) { return (x * weight).sum({1, 2, 3}).sigmoid(); };
  double gain_mean = 0, size_mean = 0, scale = 0;
  const auto mask_of = [](const Tensor& value) { return blurred(value.sigmoid(), 1); };
  const auto gain = [&](const Tensor& mask) {
    const Tensor here = images.narrow(0, 0, 4), next = images.narrow(0, 1, 4);
    return (probability((1 - mask[0]) * here + mask[0] * next) - probability(here)).sum().item<double>();
  };
  for (int t = 1; t <= how.iterations; ++t) {
    gain_mean += (std::abs(gain(mask_of(v))) - gain_mean) / t;
    size_mean += (mask_of(v).abs().sum().item<double>() - size_mean) / t;
    scale = gain_mean / size_mean;
    const auto loss = [&](const Tensor& value) {
      const Tensor mask = mask_of(value);
      return -gain(mask) + how.weight * scale * mask.abs().sum().item<double>();
    };
    EXPECT_NEAR(found.losses[0][t - 1].item<double>(), loss(v), 2e-3) << t;
    Tensor gradient = at::zeros_like(v);
    for (std::int64_t i = 0; i < 25; ++i) {
      Tensor up = v.clone(), down = v.clone();
      up.view({25})[i] += 1e-5;
      down.view({25})[i] -= 1e-5;
      gradient.view({25})[i] = (loss(up) - loss(down)) / 2e-5;
    }
    m = 0.9 * m + 0.1 * gradient;
    s = 0.999 * s + 0.001 * gradient.square();
    v = v - how.learning_rate * (m / (1 - std::pow(0.9, t))) / ((s / (1 - std::pow(0.999, t))).sqrt() + 1e-8);
  }
  EXPECT_LT((found.masks.to(at::kDouble) - mask_of(v)).abs().max().item<double>(), 2e-3);
}

/// The upper half of the pixels raises the probability evenly, the lower half lowers it. Whatever the normalised weight of the L1 norm comes
/// to, below 1 and the even gain of a pixel, the optimum is the closed form of half the area.
TEST(PathMasks, ThePublishedSearchEndsAtTheClosedFormOfALinearGain) {
  const Tensor weight = at::cat({at::ones({1, 4, 8}), -at::ones({1, 4, 8})}, 1);
  const Classifier classifier = with_logit([weight](const Tensor& x) {
    return 0.05 * (x * weight).sum({1, 2, 3});
  });
  const Tensor t = at::linspace(0, 1, 5).view({1, 5, 1, 1, 1});
  const ImagePaths paths{t.expand({2, 5, 1, 8, 8}).contiguous(), all_of(0, 2), all_of(1, 2)};
  Options options;
  options.of<PathMask>() = {.solver = "published", .iterations = 800, .rate = 0.1, .weight = 0.3};
  const PathMasks published = masks_of_paths(classifier, paths, options);
  EXPECT_EQ(published.losses.sizes(), at::IntArrayRef({2, 800}));
  EXPECT_FALSE(published.approximation_error.defined());
  EXPECT_LT(published.losses[0][799].item<double>(), published.losses[0][0].item<double>());
  options.of<PathMask>() = {.area = 0.5};
  const PathMasks closed = masks_of_paths(classifier, paths, options);
  EXPECT_LT(closed.approximation_error.max().item<double>(), 0.02);
  EXPECT_FALSE(closed.losses.defined());
  EXPECT_TRUE(at::allclose(closed.masks[0], blurred((weight > 0).to(at::kFloat).unsqueeze(0), 1)[0]));
  EXPECT_LT((published.masks - closed.masks).abs().max().item<double>(), 0.03);
  options.of<PathMask>().solver = "publshed";
  EXPECT_TRUE(test::contains(test::usage_error_of([&] { masks_of_paths(classifier, paths, options); }),
                             "did you mean 'published'"));
}

TEST(PathMethods, SayWhatTheyNeed) {
  const Tensor x = random_images(2, {1, 4, 4});
  const Classifier classifier = with_logit([](const Tensor& images) { return images.sum({1, 2, 3}) - 8; });
  EXPECT_TRUE(
      test::contains(test::usage_error_of([&] { method("path_mask").run(classifier, x, all_of(1, 2)); }),
                     "needs a generator"));
  Options options;
  const PixelGenerator generator(classifier, x.sizes().slice(1));
  options.generator = generator.model();
  options.of<ImagePath>().kind = "radiall";
  EXPECT_TRUE(test::contains(
      test::usage_error_of([&] { method("path_mask").run(classifier, x, all_of(1, 2), options); }),
      "did you mean 'radial'"));
}

/// Its reconstructions are a tenth too dark.
class DarkDecoder final : public models::Decoder {
 public:
  explicit DarkDecoder(at::IntArrayRef image) : pixels_(image) {}
  Tensor decode(const Tensor& z) const override { return 0.9 * pixels_.decode(z); }
  std::int64_t latents() const override { return pixels_.latents(); }

 private:
  PixelDecoder pixels_;
};

TEST(PathMethods, APathMayEndAtTheImageItself) {
  const Classifier classifier = with_logit([](const Tensor& images) { return images.sum({1, 2, 3}) - 8; });
  const Tensor x = random_images(2, {1, 4, 4}), known_images = random_images(60, {1, 4, 4}, 17);
  const DarkDecoder decoder({1, 4, 4});
  const PixelEncoder encoder(16);
  Options options;
  options.generator = std::make_shared<const counterfactual::ImageModel>(
      counterfactual::ImageModel{encoder, decoder,
                                 counterfactual::known_codes(encoder, decoder, classifier, known_images,
                                                             at::arange(60, at::kLong).remainder(2))});
  const Request request{classifier, x, answers_to(classifier, x)};
  for (const char* kind : {"radial", "linear", "straight"}) {
    const auto farthest_end = [&](const char* end) {
      options.of<ImagePath>() = {.steps = 6, .kind = kind, .end = end};
      const ImagePaths paths = paths_of(request, options, 0);
      TORCH_CHECK(paths.images.size(0) == 2 && paths.images.size(1) == 6);
      return (paths.images.select(1, 5) - x).abs().max().item<double>();
    };
    EXPECT_LT(farthest_end("image"), 1e-5) << kind;
    EXPECT_GT(farthest_end("reconstruction"), 1e-2) << kind;
  }
  options.of<ImagePath>().end = "start";
  EXPECT_TRUE(
      test::contains(test::usage_error_of([&] { paths_of(request, options, 0); }), "path_end is 'start'"));
}

TEST(PathMethods, APathMayBeginAtTheNearestTrainingImage) {
  const Classifier classifier = with_logit([](const Tensor& images) {
    return 4 * (images.narrow(3, 0, 2).sum({1, 2, 3}) - images.narrow(3, 2, 2).sum({1, 2, 3}));
  });
  const Tensor x = random_images(3, {1, 4, 4});
  const PixelGenerator generator(classifier, x.sizes().slice(1));
  Options options;
  options.generator = generator.model();
  options.of<ImagePath>() = {.steps = 4, .kind = "linear", .morphs = 2, .baseline = "nearest"};
  const Request request{classifier, x, answers_to(classifier, x)};
  const counterfactual::KnownCodes& known = generator.model()->known;
  const Tensor codes = 4 * x.flatten(1) - 2;
  for (const std::int64_t morph : {0, 1}) {
    const ImagePaths paths = paths_of(request, options, morph);
    for (std::int64_t i = 0; i < 3; ++i) {
      std::vector<std::pair<double, std::int64_t>> order;  // cosines of the images of the other class
      for (std::int64_t k = 0; k < known.codes.size(0); ++k)
        if (known.labels[k].item<std::int64_t>() != request.target[i].item<std::int64_t>())
          order.emplace_back(
              -at::cosine_similarity(known.codes[k].unsqueeze(0), codes.narrow(0, i, 1)).item<double>(), k);
      std::sort(order.begin(), order.end());
      const Tensor expected = (known.codes[order[static_cast<std::size_t>(morph)].second] + 2) / 4;
      EXPECT_TRUE(at::allclose(paths.images[i][0].flatten(), expected, 1e-5, 1e-6)) << i;
      EXPECT_TRUE(at::allclose(paths.images[i][3], x[i], 1e-4, 1e-5));
    }
  }
  options.of<ImagePath>().baseline = "nearst";
  EXPECT_TRUE(test::contains(test::usage_error_of([&] { paths_of(request, options, 0); }),
                             "path_baseline is 'nearst'"));
}

TEST(PathMethods, PathsBeginAtTheMorphsThatTheirOptionsMake) {
  const Classifier classifier = with_logit([](const Tensor& images) {
    return 4 * (images.narrow(3, 0, 2).sum({1, 2, 3}) - images.narrow(3, 2, 2).sum({1, 2, 3}));
  });
  const Tensor x = random_images(4, {1, 4, 4});
  const PixelGenerator generator(classifier, x.sizes().slice(1));
  Options options;
  options.generator = generator.model();
  options.of<ImagePath>().steps = 3;
  auto& morphing = options.of<ImagePath>().morphing;
  const Request request{classifier, x, answers_to(classifier, x)};
  const Tensor to = 1 - request.target;
  Tensor before;
  for (const double start : {0.2, 0.9, -1.0}) {  // below 0: as published
    morphing.method =
        start < 0 ? counterfactual::MorphMethod::published : counterfactual::MorphMethod::anchored;
    morphing.anchored.start = start;
    morphing.published = {0.1, 0.05, 400};
    const Tensor first = paths_of(request, options, 0).images.select(1, 0);
    Tensor codes = 4 * x.flatten(1) - 2;  // the mean of the posterior, which keeps the answer
    if (start < 0)
      codes =
          counterfactual::starts_of(*generator.model(), classifier, x, morphing, options.seed).codes.codes;
    const Tensor moved =
        counterfactual::morph(*generator.model(), classifier, codes, request.target, to, morphing).moved;
    EXPECT_TRUE(at::allclose(first.flatten(1), (moved + 2) / 4, 1e-4, 1e-5)) << start;
    if (before.defined()) {
      EXPECT_GT((first - before).abs().max().item<double>(), 1e-3) << start;
    }
    before = first;
  }
  options.of<ImagePath>().morphs = 3;
  EXPECT_TRUE(test::contains(test::usage_error_of([&] { paths_of(request, options, 1); }),
                             "path_morphs is 3, but the published morphing has one start"));
}

TEST(PathMethods, SeveralMorphsHaveASpread) {
  const Tensor x = random_images(3, {1, 4, 4});
  const Classifier classifier = with_logit([](const Tensor& images) {
    return 4 * (images.narrow(3, 0, 2).sum({1, 2, 3}) - images.narrow(3, 2, 2).sum({1, 2, 3}));
  });
  const PixelGenerator generator(classifier, x.sizes().slice(1));
  Options options;
  options.generator = generator.model();
  options.of<ImagePath>() = {.steps = 8, .kind = "linear", .morphs = 3};
  options.of<PathMask>().area = 0.2;
  const Tensor target = answers_to(classifier, x);
  const Attribution found = method("path_mask").run(classifier, x, target, options);
  EXPECT_TRUE(found.standard_error.defined());
  EXPECT_GT(found.standard_error.max().item<double>(), 0);
  EXPECT_EQ(found.approximation_error.sizes(), at::IntArrayRef({3}));
  EXPECT_LE(found.values.mean({1, 2, 3}).max().item<double>(), 0.25);
  // The score is linear in the pixels: the map is the change times the weight, and its sum the whole rise.
  const Attribution exact = method("path_integrated_gradients").run(classifier, x, target, options);
  EXPECT_LT(exact.completeness_error.abs().max().item<double>(), 1e-3);
}

}  // namespace
}  // namespace whence::attribution
