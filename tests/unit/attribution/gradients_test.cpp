// Attributions held to functions whose answer is known, to finite differences, and to their axioms.
#include "whence/explain/attribution/gradients.h"

#include <gtest/gtest.h>

#include "support/errors.h"
#include "unit/gce/toy_models.h"
#include "whence/core/error.h"
#include "whence/core/random.h"
#include "whence/models/zoo/zoo.h"

namespace whence::attribution {
namespace {

using toy::Classifier;

at::Tensor random_images(std::int64_t count, at::IntArrayRef image = {1, 4, 5}) {
  Generator generator = make_generator(1, "images");
  std::vector<std::int64_t> sizes = {count};
  sizes.insert(sizes.end(), image.begin(), image.end());
  return at::rand(sizes, generator);
}
at::Tensor all_of(std::int64_t label, std::int64_t count) { return at::full({count}, label, at::kLong); }

/// Class 1's logit is f(x), class 0's is 0.
Classifier with_logit(const Classifier::Function& f) {
  return Classifier([f](const at::Tensor& x) {
    const at::Tensor logit = f(x);
    return at::stack({at::zeros_like(logit), logit}, 1);
  });
}

at::Tensor weights() { return at::linspace(-1, 2, 20).view({1, 4, 5}); }
at::Tensor linear(const at::Tensor& x) { return (x * weights()).sum({1, 2, 3}) + 0.3; }

using Method = Attribution (*)(const models::Classifier&, const at::Tensor&, const at::Tensor&, Score);

Attribution smoothed(const models::Classifier& classifier, const at::Tensor& x, const at::Tensor& target,
                     Score score) {
  Generator generator = make_generator(3, "noise");
  return smooth_grad(classifier, x, target, score, {}, generator);
}
Attribution integrated(const models::Classifier& classifier, const at::Tensor& x, const at::Tensor& target,
                       Score score) {
  return integrated_gradients(classifier, x, target, score, {});
}

struct Case {
  const char* name;
  Method method;
  bool times_input;  ///< of a linear function it gives w x, not w
};

/// What every method owes.
class EveryMethod : public testing::TestWithParam<Case> {};

TEST_P(EveryMethod, IsExactForALinearFunction) {
  const at::Tensor x = random_images(3);
  const Attribution result = GetParam().method(with_logit(linear), x, all_of(1, 3), Score::logit);
  const at::Tensor expected = GetParam().times_input ? x * weights() : weights().expand_as(x);
  EXPECT_TRUE(at::allclose(result.values, expected, 0, 1e-5));
  EXPECT_TRUE(at::allclose(result.scores, linear(x), 0, 1e-5));
}

TEST_P(EveryMethod, ExplainsTheClassThatIsAskedAbout) {
  const at::Tensor x = random_images(2);
  const at::Tensor target = at::tensor({0, 1}, at::kLong);
  const Attribution result = GetParam().method(with_logit(linear), x, target, Score::logit);
  EXPECT_EQ(result.values[0].abs().max().item<float>(), 0);
  EXPECT_GT(result.values[1].abs().max().item<float>(), 0.1);
  // Of two classes' probabilities, what speaks for one speaks against the other.
  const Attribution no = GetParam().method(with_logit(linear), x, all_of(0, 2), Score::probability);
  const Attribution yes = GetParam().method(with_logit(linear), x, all_of(1, 2), Score::probability);
  EXPECT_TRUE(at::allclose(no.values, -yes.values, 0, 1e-6));
}

TEST_P(EveryMethod, DoesNotDependOnTheOtherImages) {
  nn::Network network = models::base_cnn({.image = {1, 8, 8}, .classes = 2, .width = 4});
  Generator weights_of_it = make_generator(5, "weights");
  nn::initialise(network, {}, weights_of_it);
  const auto classifier = models::as_classifier(network);
  const at::Tensor x = random_images(1, {1, 8, 8}).expand({150, 1, 8, 8}).contiguous();
  if (GetParam().method == smoothed) GTEST_SKIP() << "each image has noise of its own";
  const Attribution result = GetParam().method(*classifier, x, all_of(1, 150), Score::logit);
  EXPECT_TRUE(at::allclose(result.values, result.values[0].expand_as(x), 0, 1e-6));
}

INSTANTIATE_TEST_SUITE_P(Gradients, EveryMethod,
                         testing::Values(Case{"gradient", gradient, false},
                                         Case{"smooth_grad", smoothed, false},
                                         Case{"input_times_gradient", input_times_gradient, true},
                                         Case{"integrated_gradients", integrated, true}),
                         [](const auto& each) { return each.param.name; });

/// Anything smooth that is neither linear nor odd.
at::Tensor curved(const at::Tensor& x) {
  const at::Tensor sum = (x * weights().to(x.scalar_type())).sum({1, 2, 3});
  return (0.3 * sum).sin() + 0.05 * sum.square() + x.square().sum({1, 2, 3});
}

TEST(Gradient, AgreesWithFiniteDifferences) {
  const at::Tensor x = random_images(2);
  for (const Score score : {Score::logit, Score::probability}) {
    const Attribution result = gradient(with_logit(curved), x, all_of(1, 2), score);
    const auto f = [&](const at::Tensor& at_x) {
      const at::Tensor logit = curved(at_x);
      return score == Score::logit ? logit : logit.sigmoid();
    };
    const double step = 1e-5;
    for (std::int64_t pixel = 0; pixel < 20; ++pixel) {
      const at::Tensor change = at::zeros(20, at::kDouble);
      change[pixel] = step;
      const at::Tensor moved = change.view({1, 4, 5}), exact = x.to(at::kDouble);
      const at::Tensor slope = (f(exact + moved) - f(exact - moved)) / (2 * step);
      EXPECT_TRUE(at::allclose(result.values.flatten(1).select(1, pixel).to(at::kDouble), slope, 1e-4, 1e-5))
          << pixel;
    }
  }
}

TEST(SmoothGrad, AveragesOverAKink) {
  // At the kink of s max(x - 1/2, 0) half of the noisy images have the slope s. The other pixels give the image its range.
  at::Tensor x = at::rand({1, 1, 2, 2});
  x.copy_(at::tensor({0.5F, 0.0F, 1.0F, 0.2F}).view({1, 1, 2, 2}));
  const Classifier kink = with_logit([](const at::Tensor& images) {
    return 3 * (images.select(3, 0).select(2, 0).squeeze(1) - 0.5).relu();
  });
  Generator generator = make_generator(7, "kink");
  const Attribution result = smooth_grad(kink, x, all_of(1, 1), Score::logit, {.samples = 4000}, generator);
  EXPECT_NEAR(result.values.flatten()[0].item<double>(), 1.5, 5 * 1.5 / std::sqrt(4000));
  EXPECT_EQ(result.values.flatten()[1].item<double>(), 0);
}

/// Sundararajan et al. (2017), section 2.1: f = 1 - max(1 - x, 0) from 0 to 2 gains 1, and its gradient at 2 is 0.
TEST(IntegratedGradients, SeesWhatSaturationHidesFromTheGradient) {
  const Classifier saturated = with_logit([](const at::Tensor& x) {
    return 1 - (1 - x.sum({1, 2, 3})).relu();
  });
  const at::Tensor x = at::full({1, 1, 1, 1}, 2.0);
  EXPECT_EQ(gradient(saturated, x, all_of(1, 1), Score::logit).values.item<double>(), 0);
  const Attribution result = integrated_gradients(saturated, x, all_of(1, 1), Score::logit, {.steps = 200});
  EXPECT_NEAR(result.values.item<double>(), 1, 0.01);
  EXPECT_NEAR(result.completeness_error.item<double>(), result.values.item<double>() - 1, 1e-6);
}

/// Of a product both factors get half; n points are exact up to degree 2 n - 1 of the gradient.
TEST(IntegratedGradients, AreExactForPolynomials) {
  const at::Tensor x = at::tensor({0.8F, 0.5F}).view({1, 1, 1, 2});
  const auto parts = [&](std::int64_t power, std::int64_t steps) {
    const Classifier f = with_logit([power](const at::Tensor& images) {
      return (images.select(3, 0) * images.select(3, 1)).pow(power).flatten();
    });
    return integrated_gradients(f, x, all_of(1, 1), Score::logit, {.steps = steps});
  };
  for (const std::int64_t power : {1, 2, 3}) {
    const Attribution result = parts(power, power);  // the gradient has degree 2 power - 1 on the way
    const double half = 0.5 * std::pow(0.4, static_cast<double>(power));
    EXPECT_NEAR(result.values.flatten()[0].item<double>(), half, 1e-6) << power;
    EXPECT_NEAR(result.values.flatten()[1].item<double>(), half, 1e-6) << power;
    EXPECT_NEAR(result.completeness_error.item<double>(), 0, 1e-6) << power;
  }
  EXPECT_GT(std::abs(parts(3, 1).completeness_error.item<double>()), 1e-3);
}

TEST(IntegratedGradients, AreMeasuredFromTheBaseline) {
  const at::Tensor x = random_images(2), baseline = at::full({1, 4, 5}, 0.25);
  const Attribution result =
      integrated_gradients(with_logit(linear), x, all_of(1, 2), Score::logit, {.baseline = baseline});
  EXPECT_TRUE(at::allclose(result.values, (x - 0.25) * weights(), 0, 1e-5));
  test::expect_error(
      [&] {
        integrated_gradients(with_logit(linear), x, all_of(1, 2), Score::logit,
                             {.baseline = at::zeros({3, 3})});
      },
      {"baseline"}, ExitCode::usage);
}

TEST(IntegratedGradients, OfANetworkSayHowFarTheyAreFromCompleteness) {
  nn::Network network = models::base_cnn({.image = {1, 8, 8}, .classes = 3, .width = 8});
  Generator generator = make_generator(5, "weights");
  nn::initialise(network, {.keeps_size = true}, generator);
  const auto classifier = models::as_classifier(network);
  const at::Tensor x = random_images(4, {1, 8, 8}), target = at::tensor({0, 1, 2, 0}, at::kLong);
  const at::Tensor grey = at::full({1, 8, 8}, 0.5);  // from black on, a network without biases is linear
  const auto worst = [&](std::int64_t steps) {
    const Attribution result =
        integrated_gradients(*classifier, x, target, Score::logit, {.baseline = grey, .steps = steps});
    const at::Tensor gain = result.scores - scores_of(*classifier, grey.expand_as(x), target, Score::logit);
    EXPECT_TRUE(
        at::allclose(result.values.sum({1, 2, 3}) - gain, result.completeness_error.to(at::kFloat), 0, 1e-4));
    return (result.completeness_error.abs() / gain.abs()).max().item<double>();
  };
  EXPECT_LT(worst(64), 0.06);
  EXPECT_LT(worst(64), worst(2));
}

TEST(Gradients, OptionsOutOfRangeAreRefused) {
  const at::Tensor x = random_images(1);
  Generator generator = make_generator(1, "noise");
  const auto smooth = [&](const SmoothGrad& options) {
    smooth_grad(with_logit(linear), x, all_of(1, 1), Score::logit, options, generator);
  };
  test::expect_error([&] { smooth({.samples = 0}); }, {"at least 1 sample"}, ExitCode::usage);
  test::expect_error([&] { smooth({.noise = -1}); }, {"noise is -1"}, ExitCode::usage);
  test::expect_error(
      [&] { integrated_gradients(with_logit(linear), x, all_of(1, 1), Score::logit, {.steps = 0}); },
      {"at least 1 step"}, ExitCode::usage);
  EXPECT_THROW(gradient(with_logit(linear), x, all_of(1, 2), Score::logit), c10::Error);
}

}  // namespace
}  // namespace whence::attribution
