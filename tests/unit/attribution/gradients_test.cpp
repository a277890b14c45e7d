// Methods that gather gradients, held to functions whose answer is known, to finite differences, and to their axioms.
#include "whence/explain/attribution/gradients.h"

#include <gtest/gtest.h>

#include "support/errors.h"
#include "unit/attribution/cases.h"
#include "whence/explain/attribution/expected_gradients.h"
#include "whence/explain/attribution/integrated_gradients.h"
#include "whence/explain/attribution/smooth_grad.h"

namespace whence::attribution {
namespace {

using namespace known;

Options with_score(Score score) {
  Options options;
  options.score = score;
  return options;
}
Options integrated(const IntegratedGradients& own) {
  Options options;
  options.of<IntegratedGradients>() = own;
  return options;
}

struct GradientCase {
  const char* name;
  bool times_input;  ///< of a linear function it gives w x, not w
};

class EveryGradient : public testing::TestWithParam<GradientCase> {
 protected:
  Attribution run(const at::Tensor& x, const at::Tensor& target, Score score) const {
    Options options = with_score(score);
    options.references = at::zeros_like(x).narrow(0, 0, 1);
    return method(GetParam().name).run(with_logit(linear), x, target, options);
  }
};

TEST_P(EveryGradient, IsExactForALinearFunction) {
  const at::Tensor x = random_images(3);
  const Attribution result = run(x, all_of(1, 3), Score::logit);
  const at::Tensor expected = GetParam().times_input ? x * weights() : weights().expand_as(x);
  EXPECT_TRUE(at::allclose(result.values, expected, 0, 1e-5));
  EXPECT_TRUE(at::allclose(result.scores, linear(x), 0, 1e-5));
}

TEST_P(EveryGradient, ExplainsTheClassThatIsAskedAbout) {
  const at::Tensor x = random_images(2);
  const at::Tensor target = at::tensor({0, 1}, at::kLong);
  const Attribution result = run(x, target, Score::logit);
  EXPECT_EQ(result.values[0].abs().max().item<float>(), 0);
  EXPECT_GT(result.values[1].abs().max().item<float>(), 0.1);
  // Of two classes' probabilities, what speaks for one speaks against the other.
  const Attribution no = run(x, all_of(0, 2), Score::probability);
  const Attribution yes = run(x, all_of(1, 2), Score::probability);
  EXPECT_TRUE(at::allclose(no.values, -yes.values, 0, 1e-6));
}

INSTANTIATE_TEST_SUITE_P(Gradients, EveryGradient,
                         testing::Values(GradientCase{"gradient", false}, GradientCase{"smooth_grad", false},
                                         GradientCase{"input_times_gradient", true},
                                         GradientCase{"integrated_gradients", true},
                                         GradientCase{"expected_gradients", true}),
                         [](const auto& each) { return each.param.name; });

/// Anything smooth that is neither linear nor odd.
at::Tensor curved(const at::Tensor& x) {
  const at::Tensor sum = (x * weights().to(x.scalar_type())).sum({1, 2, 3});
  return (0.3 * sum).sin() + 0.05 * sum.square() + x.square().sum({1, 2, 3});
}

TEST(Gradient, AgreesWithFiniteDifferences) {
  const at::Tensor x = random_images(2);
  for (const Score score : {Score::logit, Score::probability}) {
    const Attribution result = method("gradient").run(with_logit(curved), x, all_of(1, 2), with_score(score));
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

TEST(GradientMagnitude, IsTheLargestOfAPixelsChannels) {
  const at::Tensor colours = at::tensor({1.0F, -3.0F, 2.0F}).view({3, 1, 1});
  const Classifier sum = with_logit([&](const at::Tensor& x) { return (x * colours).sum({1, 2, 3}); });
  const at::Tensor found =
      method("gradient_magnitude").run(sum, random_images(2, {3, 4, 5}), all_of(1, 2)).values;
  EXPECT_TRUE(at::equal(found, at::full({2, 1, 4, 5}, 3.0F)));
}

TEST(SmoothGrad, AveragesOverAKink) {
  // At the kink of s max(x - 1/2, 0) half of the noisy images have the slope s. The other pixels give the image its range.
  const at::Tensor x = at::tensor({0.5F, 0.0F, 1.0F, 0.2F}).view({1, 1, 2, 2});
  const Classifier kink = with_logit([](const at::Tensor& images) {
    return 3 * (images.select(3, 0).select(2, 0).squeeze(1) - 0.5).relu();
  });
  Options options;
  options.of<SmoothGrad>().samples = 4000;
  const auto first = [&](const char* name) {
    const Attribution found = method(name).run(kink, x, all_of(1, 1), options);
    EXPECT_EQ(found.values.flatten()[1].item<double>(), 0);
    return std::pair(found.values.flatten()[0].item<double>(),
                     found.standard_error.flatten()[0].item<double>());
  };
  // The slope is 0 or 3 with equal probability: mean 1.5, mean square 4.5, variance 2.25.
  const auto [mean, error] = first("smooth_grad");
  EXPECT_NEAR(error, 1.5 / std::sqrt(4000), 1e-3);
  EXPECT_NEAR(mean, 1.5, 5 * error);
  const auto [square, error_of_square] = first("smooth_grad_squared");
  EXPECT_NEAR(error_of_square, 4.5 / std::sqrt(4000), 1e-3);
  EXPECT_NEAR(square, 4.5, 5 * error_of_square);
  EXPECT_NEAR(first("var_grad").first, square - mean * mean, 1e-2);
}

/// g = 2 w x of f = w x^2: linear in the noise, so mean, variance and its error follow from the noise's own.
TEST(SmoothGrad, OfAParabolaHasTheVarianceOfItsNoise) {
  const at::Tensor x = random_images(1);
  const Classifier parabola = with_logit([](const at::Tensor& images) {
    return (images.square() * weights()).sum({1, 2, 3});
  });
  Options options;
  options.of<SmoothGrad>() = {.samples = 2000, .noise = 0.2};
  const double deviation = 0.2 * (x.max() - x.min()).item<double>();
  const at::Tensor variance = (2 * weights() * deviation).square();
  const Attribution mean = method("smooth_grad").run(parabola, x, all_of(1, 1), options);
  EXPECT_LT(((mean.values - 2 * weights() * x) / mean.standard_error).abs().max().item<double>(), 5);
  EXPECT_TRUE(at::allclose(mean.standard_error[0], (variance / 2000).sqrt(), 0.1, 1e-6));
  const Attribution spread = method("var_grad").run(parabola, x, all_of(1, 1), options);
  EXPECT_TRUE(at::allclose(spread.values[0], variance, 0.2, 1e-6));
  // Of normal noise the variance's own error is variance sqrt(2 / (n - 1)).
  EXPECT_TRUE(at::allclose(spread.standard_error[0], variance * std::sqrt(2.0 / 1999), 0.25, 1e-6));
}

/// Sundararajan et al. (2017), section 2.1: f = 1 - max(1 - x, 0) from 0 to 2 gains 1, and its gradient at 2 is 0.
TEST(IntegratedGradients, SeesWhatSaturationHidesFromTheGradient) {
  const Classifier saturated = with_logit([](const at::Tensor& x) {
    return 1 - (1 - x.sum({1, 2, 3})).relu();
  });
  const at::Tensor x = at::full({1, 1, 1, 1}, 2.0);
  EXPECT_EQ(method("gradient").run(saturated, x, all_of(1, 1)).values.item<double>(), 0);
  const Attribution result =
      method("integrated_gradients").run(saturated, x, all_of(1, 1), integrated({.steps = 200}));
  EXPECT_NEAR(result.values.item<double>(), 1, 0.01);
  EXPECT_NEAR(result.completeness_error.item<double>(), result.values.item<double>() - 1, 1e-6);
}

/// Of a product both factors get half; n points are exact up to degree 2 n - 1 of the gradient.
TEST(IntegratedGradients, AreExactForPolynomials) {
  const at::Tensor x = row({0.8F, 0.5F});
  const auto parts = [&](std::int64_t power, std::int64_t steps) {
    const Classifier f = with_logit([power](const at::Tensor& images) {
      return (images.select(3, 0) * images.select(3, 1)).pow(power).flatten();
    });
    return method("integrated_gradients").run(f, x, all_of(1, 1), integrated({.steps = steps}));
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
  const at::Tensor x = random_images(3);
  const auto from = [&](const IntegratedGradients& own, const at::Tensor& image = {}) {
    Options options = integrated(own);
    options.of<Baseline>().image = image;
    options.batch = 2;  // images of a second batch have baselines of their own, too
    return method("integrated_gradients").run(with_logit(linear), x, all_of(1, 3), options).values;
  };
  const at::Tensor grey = (x - 0.25) * weights();
  EXPECT_TRUE(at::allclose(from({.level = 0.25}), grey, 0, 1e-5));
  EXPECT_TRUE(at::allclose(from({}, at::full({1, 4, 5}, 0.25)), grey, 0, 1e-5));
  const at::Tensor each = random_images(3, {1, 4, 5}, 8);
  EXPECT_TRUE(at::allclose(from({}, each), (x - each) * weights(), 0, 1e-5));
  for (const at::Tensor& wrong : {at::zeros({3, 3}), at::zeros({2, 1, 4, 5})})
    test::expect_error([&] { from({}, wrong); }, {"baseline"}, ExitCode::usage);
}

TEST(IntegratedGradients, OfANetworkSayHowFarTheyAreFromCompleteness) {
  const auto classifier =
      models::as_classifier(initialised(models::base_cnn({.image = {1, 8, 8}, .classes = 3, .width = 8})));
  const at::Tensor x = random_images(4, {1, 8, 8}), target = at::tensor({0, 1, 2, 0}, at::kLong);
  // from black on, a network without biases is linear
  const at::Tensor grey = at::full({1, 8, 8}, 0.5).expand_as(x);
  const auto worst = [&](std::int64_t steps) {
    const Attribution result = method("integrated_gradients")
                                   .run(*classifier, x, target, integrated({.steps = steps, .level = 0.5}));
    const at::Tensor gain = result.scores - scores_of(*classifier, grey, target, Score::logit);
    EXPECT_TRUE(
        at::allclose(result.values.sum({1, 2, 3}) - gain, result.completeness_error.to(at::kFloat), 0, 1e-4));
    return (result.completeness_error.abs() / gain.abs()).max().item<double>();
  };
  EXPECT_LT(worst(64), 0.06);
  EXPECT_LT(worst(64), worst(2));
}

/// The mean of integrated gradients over all references: what expected gradients estimate.
TEST(ExpectedGradients, EstimateTheMeanOfIntegratedGradients) {
  const at::Tensor x = random_images(2), references = random_images(4, {1, 4, 5}, 6);
  at::Tensor expected = at::zeros_like(x);
  for (std::int64_t i = 0; i < 4; ++i) {
    Options from = integrated({});
    from.of<Baseline>().image = references[i];
    expected += 0.25 * method("integrated_gradients").run(with_logit(curved), x, all_of(1, 2), from).values;
  }
  Options options;
  options.references = references;
  options.of<ExpectedGradients>().samples = 4000;
  const Attribution found = method("expected_gradients").run(with_logit(curved), x, all_of(1, 2), options);
  const at::Tensor off = (found.values - expected).abs() / found.standard_error;
  EXPECT_LT(off.max().item<double>(), 5);
  EXPECT_LT(found.standard_error.max().item<double>(), 0.05);
  const at::Tensor gain = found.scores.mean() - curved(references).mean();
  EXPECT_LT(found.completeness_error.abs().max().item<double>(), 0.1 * gain.abs().item<double>());

  options.references = at::Tensor();
  const auto ask = [&] { method("expected_gradients").run(with_logit(curved), x, all_of(1, 2), options); };
  test::expect_error(ask, {"references"}, ExitCode::usage);
  options.references = at::zeros({2, 1, 3, 3});
  test::expect_error(ask, {"same shape"}, ExitCode::usage);
}

}  // namespace
}  // namespace whence::attribution
