// Measures of maps of a function whose regions are worth known amounts.
#include "whence/explain/attribution/measures.h"

#include <gtest/gtest.h>

#include "support/errors.h"
#include "unit/gce/toy_models.h"
#include "whence/core/error.h"
#include "whence/core/random.h"

namespace whence::attribution {
namespace {

/// Class 1's logit is the sum of the pixels, each weighed by its 3 x 3 place of 5 x 5 pixels cut into regions of 2.
at::Tensor worth() {
  const at::Tensor of_regions =
      at::tensor({1.0F, 9.0F, 2.0F, 8.0F, 3.0F, 7.0F, 4.0F, 6.0F, 5.0F}).view({3, 3});
  return of_regions.repeat_interleave(2, 0).repeat_interleave(2, 1).narrow(0, 0, 5).narrow(1, 0, 5);
}
toy::Classifier sum_of_worth() {
  return toy::Classifier([](const at::Tensor& x) {
    const at::Tensor logit = (x * worth()).sum({1, 2, 3});
    return at::stack({at::zeros_like(logit), logit}, 1);
  });
}

/// What each region of a white image is worth: its weight times its pixels.
std::vector<double> worths() {
  std::vector<double> values;
  for (std::int64_t i = 0; i < 3; ++i)
    for (std::int64_t j = 0; j < 3; ++j) {
      const auto side = [](std::int64_t k) { return k == 2 ? 1 : 2; };
      values.push_back(worth()[2 * i][2 * j].item<double>() * static_cast<double>(side(i) * side(j)));
    }
  std::sort(values.rbegin(), values.rend());
  return values;
}

TEST(PerturbationCurve, TakesTheMostRelevantRegionOutFirst) {
  const at::Tensor x = at::ones({1, 1, 5, 5}), target = at::ones({1}, at::kLong);
  const PerturbationCurve curve =
      perturbation_curve(sum_of_worth(), x, target, x * worth(), Score::logit, {.patch = 2});
  const std::vector<double> values = worths();
  ASSERT_EQ(curve.scores.size(1), 10);
  double left = 0, area = 0, gone = 0;
  for (const double value : values) left += value;
  for (std::int64_t step = 0; step <= 9; ++step) {
    EXPECT_NEAR(curve.scores[0][step].item<double>(), left - gone, 1e-4) << step;
    area += gone / 10;
    if (step < 9) gone += values[static_cast<std::size_t>(step)];
  }
  EXPECT_NEAR(curve.area.item<double>(), area, 1e-4);
}

TEST(PerturbationCurve, ABetterOrderHasALargerArea) {
  const at::Tensor x = at::ones({1, 1, 5, 5}), target = at::ones({1}, at::kLong);
  const auto area = [&](const at::Tensor& values) {
    return perturbation_curve(sum_of_worth(), x, target, values.expand_as(x), Score::logit, {.patch = 2})
        .area.item<double>();
  };
  EXPECT_GT(area(worth()), area(at::ones({5, 5})));
  EXPECT_GT(area(at::ones({5, 5})), area(-worth()));
}

/// Removing everything ends at the same score in any order, so what one order gains early the reverse gains late: of regions of
/// equal size the two areas sum to the whole fall.
TEST(Measures, TheReverseOrderHasTheOtherArea) {
  const at::Tensor x = at::ones({1, 1, 4, 4}), target = at::ones({1}, at::kLong);
  const at::Tensor weights = at::arange(16, at::kFloat).view({4, 4});
  const toy::Classifier classifier([&](const at::Tensor& images) {
    const at::Tensor logit = (images * weights).sum({1, 2, 3});
    return at::stack({at::zeros_like(logit), logit}, 1);
  });
  const auto by = [&](const char* name) {
    const Measure& own = measure(name);
    return own.compute({classifier, x, target, x * weights}, {.patch = 1}).item<double>();
  };
  EXPECT_NEAR(by("morf") + by("lerf"), 120, 1e-4);
  EXPECT_GT(by("morf"), by("lerf"));
}

TEST(Measures, TakeMapsWithOneValueForAPixel) {
  Generator generator = make_generator(4, "map");
  const at::Tensor x = at::rand({2, 3, 5, 5}, generator), target = at::ones({2}, at::kLong);
  const at::Tensor map = at::rand({2, 3, 5, 5}, generator);
  for (const Measure& each : measures()) {
    EXPECT_EQ(&measure(each.name), &each);
    const auto by = [&](const at::Tensor& values) {
      return each.compute({sum_of_worth(), x, target, values}, {.patch = 2});
    };
    if (!by(map).defined() || each.name == "sparseness") continue;  // of a method only; of sizes, not of sums
    EXPECT_TRUE(at::allclose(by(map), by(map.to(at::kDouble).sum(1, true)))) << each.name;
    EXPECT_EQ(by(map).sizes(), at::IntArrayRef({2}));
    EXPECT_THROW(by(map.narrow(1, 0, 2)), c10::Error);
  }
  EXPECT_TRUE(test::contains(test::usage_error_of([] { measure("mrf"); }), "'morf'"));
}

TEST(PerturbationCurve, StopsAtTheShareAndFillsWhatItTakesOut) {
  const at::Tensor x = at::ones({1, 1, 5, 5}), target = at::ones({1}, at::kLong);
  const auto curve = [&](double share, double fill) {
    return perturbation_curve(sum_of_worth(), x, target, x * worth(), Score::logit,
                              {.patch = 2, .share = share, .fill = fill})
        .scores;
  };
  EXPECT_EQ(curve(0.5, 0).size(1), 6);
  EXPECT_TRUE(at::allclose(curve(1, 1), curve(1, 1).narrow(1, 0, 1).expand({1, 10})));
  const auto wrong = [&](const PerturbationOptions& options) {
    perturbation_curve(sum_of_worth(), x, target, x, Score::logit, options);
  };
  test::expect_error([&] { wrong({.patch = -1}); }, {"side of a region is -1"}, ExitCode::usage);
  test::expect_error([&] { wrong({.share = 1.5}); }, {"share of removed regions"}, ExitCode::usage);
}

}  // namespace
}  // namespace whence::attribution
