// Measures beside the curves, on functions whose answers are known.
#include <gtest/gtest.h>

#include "unit/attribution/cases.h"
#include "unit/attribution/pixel_generator.h"
#include "whence/explain/attribution/measures.h"

namespace whence::attribution {
namespace {

using known::all_of;
using known::random_images;

constexpr std::int64_t kImages = 3;

at::Tensor by(const char* name, const models::Classifier& classifier, const at::Tensor& x,
              const at::Tensor& map, const PerturbationOptions& options = {.patch = 1}) {
  return measure(name).compute({classifier, x, all_of(1, x.size(0)), map}, options);
}
double value_of(const at::Tensor& one) { return one.item<double>(); }

/// Removing pixels of a linear function costs exactly what they contribute.
TEST(Sensitivity, IsPerfectForTheContributionsOfALinearFunction) {
  const auto classifier = known::with_logit(known::linear);
  const at::Tensor x = random_images(kImages), contributions = x * known::weights();
  for (const std::int64_t patch : {1, 2, 3}) {
    const PerturbationOptions options{.patch = patch};
    EXPECT_TRUE(at::allclose(by("sensitivity_n", classifier, x, contributions, options),
                             at::ones({kImages}, at::kDouble), 1e-4));
    EXPECT_LT(by("infidelity", classifier, x, contributions, options).max().item<double>(), 1e-5);
  }
  EXPECT_TRUE(at::allclose(by("sensitivity_n", classifier, x, -contributions),
                           -at::ones({kImages}, at::kDouble), 1e-4));
  Generator generator = make_generator(5, "map");
  const at::Tensor noise = at::rand(x.sizes(), generator) - 0.5;
  EXPECT_LT(by("sensitivity_n", classifier, x, noise).max().item<double>(), 0.9);
  EXPECT_GT(by("infidelity", classifier, x, noise).min().item<double>(), 0.1);
}

/// A multiple of a map says the same; a map of zeros says nothing.
TEST(Sensitivity, DoesNotDependOnTheScaleOfTheMap) {
  const auto classifier =
      known::with_logit([](const at::Tensor& x) { return known::linear(x.square()).sigmoid(); });
  Generator generator = make_generator(6, "map");
  const at::Tensor x = random_images(kImages), map = at::rand(x.sizes(), generator);
  for (const char* name : {"sensitivity_n", "infidelity", "sparseness"})
    EXPECT_TRUE(at::allclose(by(name, classifier, x, map), by(name, classifier, x, 7 * map), 1e-5)) << name;
  const at::Tensor nothing = at::zeros_like(x);
  EXPECT_TRUE(at::equal(by("sensitivity_n", classifier, x, nothing), at::zeros({kImages}, at::kDouble)));
  EXPECT_TRUE(at::equal(by("infidelity", classifier, x, nothing), at::ones({kImages}, at::kDouble)));
  EXPECT_TRUE(at::equal(by("sparseness", classifier, x, nothing), at::zeros({kImages}, at::kDouble)));
  EXPECT_FALSE(by("infidelity", classifier, x, map, {.patch = 1, .subsets = 0}).defined());
}

/// An image's number does not depend on the images beside it.
TEST(Sensitivity, OfAnImageIsTheSameAlone) {
  const auto classifier = known::with_logit([](const at::Tensor& x) { return known::linear(x).square(); });
  const at::Tensor x = random_images(kImages), map = x * x;
  for (const char* name : {"sensitivity_n", "infidelity", "sparseness"}) {
    const at::Tensor together = by(name, classifier, x, map);
    EXPECT_NEAR(value_of(together[1]), value_of(by(name, classifier, x.narrow(0, 1, 1), map.narrow(0, 1, 1))),
                1e-6)
        << name;
  }
}

TEST(Sparseness, IsTheGiniIndex) {
  const auto classifier = known::with_logit(known::linear);
  const at::Tensor x = random_images(1);
  EXPECT_NEAR(value_of(by("sparseness", classifier, x, at::full({1, 1, 4, 5}, -2.0))), 0, 1e-9);
  at::Tensor one = at::zeros({1, 1, 4, 5});
  one[0][0][2][3] = -5;
  EXPECT_NEAR(value_of(by("sparseness", classifier, x, one)), 19.0 / 20, 1e-9);
  // The mean difference of all pairs, over twice the mean (Gini 1912).
  const at::Tensor map = random_images(1, {1, 4, 5}, 9) - 0.5;
  const at::Tensor sizes = map.to(at::kDouble).abs().flatten();
  const double pairs = (sizes.unsqueeze(0) - sizes.unsqueeze(1)).abs().mean().item<double>();
  EXPECT_NEAR(value_of(by("sparseness", classifier, x, map)), pairs / (2 * sizes.mean().item<double>()),
              1e-9);
}

TEST(MaxSensitivity, OfALinearFunctionIsTheNoise) {
  const auto classifier = known::with_logit(known::linear);
  const at::Tensor x = random_images(kImages), target = all_of(1, kImages);
  const Options options;
  const auto of = [&](const char* name, double noise) {
    const Method& own = method(name);
    const at::Tensor map = own.run(classifier, x, target, options).values;
    return measure("max_sensitivity")
        .compute({classifier, x, target, map, Score::logit, &own, &options},
                 {.noise_draws = 4, .noise = noise});
  };
  EXPECT_LT(of("gradient", 0.1).max().item<double>(), 1e-6);  // the same everywhere
  const at::Tensor found = of("input_times_gradient", 0.1);
  // Each value changes by at most noise * |w|.
  const at::Tensor most = 0.1 * known::weights().norm() / (x * known::weights()).flatten(1).norm(2, 1);
  EXPECT_TRUE((found < most.to(at::kDouble)).all().item<bool>());
  EXPECT_TRUE((found > 0.3 * most.to(at::kDouble)).all().item<bool>());
  EXPECT_TRUE(at::allclose(of("input_times_gradient", 0.2), 2 * found, 1e-4));
  EXPECT_FALSE(by("max_sensitivity", classifier, x, x).defined()) << "of a map that no method made";
}

/// Ranks by counting.
at::Tensor slow_ranks(const at::Tensor& row) {
  const at::Tensor difference = row.unsqueeze(1) - row.unsqueeze(0);
  return 0.5 * ((difference > 0).sum(1) + (difference >= 0).sum(1)).to(at::kDouble);
}

TEST(Randomization, IsSpearmansCorrelationWithTheMapOfRandomWeights) {
  const nn::Network network = known::network_c();
  const auto classifier = models::as_classifier(network);
  const at::Tensor x = random_images(2, {1, 4, 4}), target = all_of(1, 2);
  const Method& own = method("gradient");
  const Options options;
  const at::Tensor map = own.run(*classifier, x, target, options).values;
  const at::Tensor found =
      measure("randomization")
          .compute({*classifier, x, target, map, Score::logit, &own, &options}, {.seed = 3});

  nn::Network random = network.clone();
  Generator generator = make_generator(3, "attribution/randomization");
  nn::initialise(random, {.keeps_size = true}, generator);
  const at::Tensor other = own.run(*models::as_classifier(random), x, target, options).values;
  for (std::int64_t i = 0; i < 2; ++i) {
    const at::Tensor a = slow_ranks(map[i].flatten()), b = slow_ranks(other[i].flatten());
    const at::Tensor p = a - a.mean(), q = b - b.mean();
    const double size = std::sqrt(value_of(p.square().sum()) * value_of(q.square().sum()));
    EXPECT_NEAR(value_of(found[i]), size > 0 ? value_of((p * q).sum()) / size : 0, 1e-6);
  }
  const auto opaque = known::with_logit(known::linear);
  EXPECT_FALSE(
      measure("randomization").compute({opaque, x, target, map, Score::logit, &own, &options}, {}).defined());
}

/// Draws black for every image, so that the error of a reconstruction is the image's squared norm.
class BlackDecoder final : public models::Decoder {
 public:
  at::Tensor decode(const at::Tensor& z) const override { return at::zeros({z.size(0), 1, 2, 2}); }
  std::int64_t latents() const override { return 4; }
};

TEST(Departure, IsTheErrorOnTheWayByThatOfTheImages) {
  const known::PixelEncoder encoder(4);
  const BlackDecoder decoder;
  PerturbationOptions options{.patch = 1};
  const auto classifier = known::with_logit(known::linear);
  const at::Tensor x = at::tensor({1.0F, 0.5F}).view({2, 1, 1, 1}).expand({2, 1, 2, 2}).contiguous();
  EXPECT_FALSE(by("departure", classifier, x, x, options).defined()) << "no generator";
  options.generator =
      std::make_shared<const counterfactual::ImageModel>(counterfactual::ImageModel{encoder, decoder, {}});
  // Of 4 pixels 3, 2, 1 and 0 are left at two places each: 1.5 in the mean. The images' errors are 4 and 1, their mean 2.5.
  EXPECT_TRUE(at::allclose(by("departure", classifier, x, x, options),
                           at::tensor({1.5 / 2.5, 0.375 / 2.5}, at::kDouble)));
}

TEST(Replacement, ByTheMeanOrABlurKeepsAConstantImage) {
  const auto classifier = known::with_logit(known::linear);
  const at::Tensor flat = at::full({1, 1, 4, 5}, 0.3), image = random_images(1);
  for (const Replacement replacement : {Replacement::mean, Replacement::blur}) {
    const PerturbationOptions options{.patch = 2, .replacement = replacement};
    EXPECT_LT(std::abs(value_of(by("morf", classifier, flat, flat, options))), 1e-5) << name_of(replacement);
    const PerturbationCurve curve =
        perturbation_curve(classifier, image, all_of(1, 1), image, Score::logit, options);
    EXPECT_GT(curve.scores.std().item<double>(), 1e-3) << name_of(replacement);
  }
  // With every region gone, the mean image is left.
  const PerturbationCurve curve = perturbation_curve(classifier, image, all_of(1, 1), image, Score::logit,
                                                     {.patch = 2, .replacement = Replacement::mean});
  EXPECT_NEAR(value_of(curve.scores[0][-1]), value_of(known::linear(image.mean().expand_as(image))), 1e-5);
}

}  // namespace
}  // namespace whence::attribution
