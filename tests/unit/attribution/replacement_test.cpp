// What comes in the place of what is taken out: baselines of methods, replacements of measures.
#include <gtest/gtest.h>

#include "explain/attribution/removal.h"
#include "support/errors.h"
#include "unit/attribution/pixel_generator.h"
#include "whence/explain/attribution/baseline.h"
#include "whence/explain/attribution/deep_lift.h"
#include "whence/explain/attribution/occlusion.h"
#include "whence/explain/attribution/shapley_sampling.h"

namespace whence::attribution {
namespace {

using namespace known;

at::Tensor baseline(const std::string& kind, const at::Tensor& x, const at::Tensor& references = {},
                    double level = 0) {
  Options options;
  options.references = references;
  options.of<Baseline>().kind = kind;
  const Classifier classifier = with_logit(linear);
  return baseline_of({classifier, x, all_of(0, x.size(0))}, options, level);
}

TEST(Baselines, AreWhatTheyAreCalled) {
  const at::Tensor x = random_images(3, {3, 6, 7}), references = random_images(5, {3, 6, 7}, 4);
  EXPECT_TRUE(at::equal(baseline("own", x, {}, 0.25), at::full_like(x, 0.25)));
  EXPECT_TRUE(at::equal(baseline("0.5", x), at::full_like(x, 0.5)));
  const at::Tensor colour = baseline("1,0,0.5", x);
  const std::pair<int, double> channels[] = {{0, 1.0}, {1, 0.0}, {2, 0.5}};
  for (const auto& [channel, value] : channels)
    EXPECT_TRUE(at::equal(colour.select(1, channel), at::full({3, 6, 7}, value)));
  EXPECT_TRUE(at::allclose(baseline("mean", x, references)[2], references.mean(0)));
  const at::Tensor one = baseline("data", x, references);
  EXPECT_TRUE((references == one[0]).flatten(1).all(1).any().item<bool>());
  EXPECT_TRUE(at::equal(one[0], one[2]));
  const at::Tensor noise = baseline("noise", at::zeros({2, 1, 40, 40}));
  EXPECT_TRUE(at::equal(noise[0], noise[1]));
  EXPECT_NEAR(noise.mean().item<double>(), 0.5, 0.02);
  EXPECT_NEAR(noise[0].std().item<double>(), 0.2, 0.02);
}

/// A Gaussian filter, a pixel at a time.
TEST(Baselines, BlurWithAGaussian) {
  const at::Tensor x = random_images(2, {2, 10, 12});
  const at::Tensor found = baseline("blur", x);  // a deviation of a tenth of 10 pixels
  const std::pair<std::int64_t, std::int64_t> places[] = {{5, 6}, {0, 0}, {9, 3}};
  for (const auto& [row, column] : places) {
    double sum = 0, weights = 0;
    for (std::int64_t down = -3; down <= 3; ++down)
      for (std::int64_t across = -3; across <= 3; ++across) {
        const double weight = std::exp(-0.5 * static_cast<double>(down * down + across * across));
        weights += weight;
        sum += weight * x[1][0][std::clamp<std::int64_t>(row + down, 0, 9)]
                         [std::clamp<std::int64_t>(column + across, 0, 11)]
                             .item<double>();
      }
    EXPECT_NEAR(found[1][0][row][column].item<double>(), sum / weights, 1e-5);
  }
}

TEST(Baselines, RefuseWhatTheyCannotBe) {
  const at::Tensor x = random_images(2, {3, 6, 7});
  const auto refused = [&](const std::string& kind, std::initializer_list<std::string> parts) {
    test::expect_error([&] { baseline(kind, x); }, parts, ExitCode::usage);
  };
  refused("blurr", {"blurr", "did you mean 'blur'?"});
  refused("1,0", {"2 numbers", "3 channels"});
  refused("1,0,2", {"1,0,2"});
  refused("", {"baseline_image"});
  refused("mean", {"mean", "references"});
  test::expect_error([&] { baseline("data", x, random_images(2)); }, {"same shape"}, ExitCode::usage);
}

/// Of a linear function, every method from a baseline gives (x - x') w, or its sums over regions.
TEST(Baselines, AreTakenByEveryMethodThatHasOne) {
  const auto network = [] {
    nn::Network own("linear", {1, 4, 5});
    own.add("flatten", nn::Flatten{});
    own.add("fc", nn::Linear{2});
    set(own, "fc.weight", at::stack({at::zeros({20}), weights().flatten()}));
    set(own, "fc.bias", at::zeros({2}));
    return own;
  }();
  const auto classifier = models::as_classifier(network);
  const at::Tensor x = random_images(3), references = random_images(4, {1, 4, 5}, 6);
  Options options;
  options.references = references;
  options.of<Baseline>().kind = "mean";
  options.of<Occlusion>() = {.window = 1, .stride = 1};
  options.of<ShapleySampling>().patch = 1;
  const at::Tensor expected = (x - references.mean(0)) * weights();
  for (const char* name : {"integrated_gradients", "deep_lift", "occlusion", "shapley_sampling"})
    EXPECT_TRUE(
        at::allclose(method(name).run(*classifier, x, all_of(1, 3), options).values, expected, 1e-3, 1e-5))
        << name;
  for (const Method& each : methods())
    for (const Option& option : each.options) {
      if (option.name != "baseline_image") continue;
      options.of<Baseline>().kind = "nothing";
      test::expect_error([&] { each.run(*classifier, x, all_of(1, 3), options); },
                         {"baseline_image is 'nothing'"}, ExitCode::usage);
    }
}

/// The linear system of Rong et al. 2022, written out and solved as a whole.
at::Tensor solved(const at::Tensor& image, const at::Tensor& missing) {
  const std::int64_t height = image.size(0), width = image.size(1);
  at::Tensor a = at::eye(height * width, at::kDouble), b = image.to(at::kDouble).flatten().clone();
  for (std::int64_t row = 0; row < height; ++row)
    for (std::int64_t column = 0; column < width; ++column) {
      if (!missing[row][column].item<bool>()) continue;
      const std::int64_t own = row * width + column;
      double all = 0;
      b[own] = 0;
      for (std::int64_t down = -1; down <= 1; ++down)
        for (std::int64_t across = -1; across <= 1; ++across) {
          const std::int64_t r = row + down, c = column + across;
          if ((down == 0 && across == 0) || r < 0 || r >= height || c < 0 || c >= width) continue;
          const double weight = down == 0 || across == 0 ? 1.0 / 6 : 1.0 / 12;
          a[own][r * width + c] = -weight;
          all += weight;
        }
      a[own][own] = all;
    }
  return at::linalg_solve(a, b.unsqueeze(1)).view({height, width});
}

TEST(Imputation, SolvesTheLinearSystem) {
  const at::Tensor x = random_images(4, {2, 7, 6});
  Generator generator = make_generator(2, "missing");
  at::Tensor missing = at::rand({4, 1, 7, 6}, generator) < 0.6;
  missing[3].fill_(true);
  missing[3][0][6][5] = false;  // one pixel is left, which all others become
  const at::Tensor found = linearly_imputed(x, missing);
  for (std::int64_t i = 0; i < 4; ++i)
    for (std::int64_t channel = 0; channel < 2; ++channel)
      EXPECT_TRUE(
          at::allclose(found[i][channel].to(at::kDouble), solved(x[i][channel], missing[i][0]), 0, 1e-6))
          << i;
  EXPECT_TRUE(at::allclose(found[3][0], x[3][0][6][5].expand({7, 6}), 0, 1e-5));
}

TEST(Imputation, OfNothingLeftIsTheMean) {
  const at::Tensor x = random_images(2, {3, 5, 5});
  const at::Tensor found = linearly_imputed(x, at::ones({2, 1, 5, 5}, at::kBool));
  EXPECT_TRUE(at::allclose(found, x.mean({2, 3}, true).expand_as(x), 1e-5));
}

/// Two methods beside each other: what is smooth comes back, and holes do not.
TEST(Imputation, ReplacesRegionsOfCurves) {
  const at::Tensor ramp = at::linspace(0, 1, 12).view({1, 1, 1, 12}).expand({2, 1, 12, 12}).contiguous();
  const auto classifier = with_logit([](const at::Tensor& x) {
    return (x.diff(1, 3) - 1.0 / 11).square().sum({1, 2, 3});
  });
  const at::Tensor map = random_images(2, {1, 12, 12}, 3);
  const auto roughness = [&](Replacement replacement) {
    return perturbation_curve(classifier, ramp, all_of(1, 2), map, Score::logit,
                              {.patch = 2, .share = 0.3, .replacement = replacement})
        .scores.select(1, -1)
        .mean()
        .item<double>();
  };
  EXPECT_LT(roughness(Replacement::imputation), 0.1 * roughness(Replacement::constant));
}

class ConstantDecoder final : public models::Decoder {
 public:
  at::Tensor decode(const at::Tensor& z) const override { return at::full({z.size(0), 1, 4, 5}, 0.3); }
  std::int64_t latents() const override { return 20; }
};

/// A generator that knows one image puts its pixels in; one that reconstructs everything keeps what was imputed.
TEST(Replacement, ByAGeneratorIsWhatItReconstructs) {
  const auto classifier = with_logit([](const at::Tensor& x) { return linear(x.square()); });
  const at::Tensor x = random_images(3), map = random_images(3, {1, 4, 5}, 9);
  const auto curve = [&](const PerturbationOptions& options) {
    return perturbation_curve(classifier, x, all_of(1, 3), map, Score::logit, options).scores;
  };
  const ConstantDecoder constant;
  const PixelEncoder encoder(20);
  const auto one =
      std::make_shared<const counterfactual::ImageModel>(counterfactual::ImageModel{encoder, constant, {}});
  EXPECT_TRUE(at::allclose(curve({.patch = 2, .replacement = Replacement::generator, .generator = one}),
                           curve({.patch = 2, .replacement = Replacement::constant, .fill = 0.3}), 1e-5));
  const std::vector<std::int64_t> image = {1, 4, 5};
  const PixelDecoder pixels(image);
  const auto all =
      std::make_shared<const counterfactual::ImageModel>(counterfactual::ImageModel{encoder, pixels, {}});
  const PerturbationOptions by_pixels{.patch = 2, .replacement = Replacement::generator, .generator = all};
  const at::Tensor removed = random_images(3, {1, 4, 5}, 2) < 0.5;
  EXPECT_TRUE(at::allclose(Removal(x, by_pixels).without(removed),
                           at::where(removed, linearly_imputed(x, removed), x), 1e-4, 1e-5));
  test::expect_error([&] { curve({.patch = 2, .replacement = Replacement::generator}); }, {"generator"},
                     ExitCode::usage);
}

}  // namespace
}  // namespace whence::attribution
