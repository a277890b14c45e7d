// Masks that are searched for, on classifiers that look at one patch only.
#include <gtest/gtest.h>

#include "unit/attribution/cases.h"
#include "whence/explain/attribution/extremal_perturbation.h"
#include "whence/explain/attribution/mask_perturbation.h"

namespace whence::attribution {
namespace {

using namespace known;

constexpr std::int64_t kMaskSide = 16, kTop = 4, kLeft = 8, kMaskPatch = 4;

at::Tensor inside(const at::Tensor& maps, std::int64_t top = kTop) {
  return maps.narrow(2, top, kMaskPatch).narrow(3, kLeft, kMaskPatch);
}
/// Class 1 is what is bright there.
Classifier patch_classifier() {
  return with_logit([](const at::Tensor& x) { return 16 * (inside(x).mean({1, 2, 3}) - 0.25); });
}
at::Tensor images(std::int64_t count) { return random_images(count, {1, kMaskSide, kMaskSide}); }

Options on_black() {
  Options options;
  options.of<Baseline>().kind = "0";
  return options;
}
double mean_of(const at::Tensor& values) { return values.mean().item<double>(); }

TEST(MaskPerturbation, TakesOutThePatchThatTheClassifierLooksAt) {
  const at::Tensor x = images(5);
  Options options = on_black();
  const at::Tensor found =
      method("mask_perturbation").run(patch_classifier(), x, all_of(1, 5), options).values;
  for (std::int64_t i = 0; i < 5; ++i) {
    const at::Tensor map = found.narrow(0, i, 1);
    const double sum = map.sum().item<double>(), patch = inside(map).sum().item<double>();
    EXPECT_GT(mean_of(inside(map)), 0.8) << i;
    // To take out a whole cell, a mask that is enlarged bilinearly needs half of those around it.
    const at::Tensor around = map.narrow(2, kTop - 2, kMaskPatch + 4).narrow(3, kLeft - 2, kMaskPatch + 4);
    EXPECT_GT(around.sum().item<double>(), 0.85 * sum) << i;
    EXPECT_GT(patch, 0.3 * sum) << i;
  }
  EXPECT_TRUE(
      at::equal(found, method("mask_perturbation").run(patch_classifier(), x, all_of(1, 5), options).values));
}

TEST(MaskPerturbation, LowersWhatItSaysItMinimises) {
  const at::Tensor x = images(4), target = all_of(1, 4);
  const Classifier classifier = patch_classifier();
  Options options = on_black();
  options.of<MaskPerturbation>().jitter = 0;
  const at::Tensor found = method("mask_perturbation").run(classifier, x, target, options).values;
  const at::Tensor cells = at::avg_pool2d(found, {2, 2});  // nearly the cells that were enlarged
  const auto cost = [&](const at::Tensor& removed) {
    return mask_perturbation_cost({classifier, x, target}, options, removed);
  };
  EXPECT_TRUE((cost(cells) < cost(at::zeros_like(cells)) - 0.3).all().item<bool>());
  EXPECT_TRUE((cost(cells) < cost(at::ones_like(cells))).all().item<bool>());
}

/// The objective, written out for one pixel a cell.
TEST(MaskPerturbation, HasThePublishedObjective) {
  const at::Tensor x = images(2).to(at::kFloat), removed = random_images(2, {1, kMaskSide, kMaskSide}, 5);
  const Classifier classifier = patch_classifier();
  Options options = on_black();
  options.of<MaskPerturbation>() = {.area_weight = 0.3, .variation_weight = 0.02, .variation_power = 2.5};
  const at::Tensor cost = mask_perturbation_cost({classifier, x, all_of(1, 2)}, options, removed);
  for (std::int64_t i = 0; i < 2; ++i) {
    const auto value = [&](const at::Tensor& of, std::int64_t row, std::int64_t column) {
      return of[i][0][row][column].item<double>();
    };
    double bright = 0, area = 0, variation = 0;
    for (std::int64_t row = 0; row < kMaskSide; ++row)
      for (std::int64_t column = 0; column < kMaskSide; ++column) {
        const double gone = value(removed, row, column);
        const bool seen =
            row >= kTop && row < kTop + kMaskPatch && column >= kLeft && column < kLeft + kMaskPatch;
        if (seen) bright += value(x, row, column) * (1 - gone) / (kMaskPatch * kMaskPatch);
        area += gone / (kMaskSide * kMaskSide);
        if (row > 0) variation += std::pow(std::abs(gone - value(removed, row - 1, column)), 2.5);
        if (column > 0) variation += std::pow(std::abs(gone - value(removed, row, column - 1)), 2.5);
      }
    const double p = 1 / (1 + std::exp(-16 * (bright - 0.25)));
    EXPECT_NEAR(cost[i].item<double>(), p + 0.3 * area + 0.02 * variation, 1e-4);
  }
}

TEST(ExtremalPerturbation, KeepsAPartOfItsAreaWhereTheClassifierLooks) {
  const at::Tensor x = images(4);
  for (const double area : {0.07, 0.15}) {
    Options options = on_black();
    options.of<ExtremalPerturbation>().area = area;
    const at::Tensor found =
        method("extremal_perturbation").run(patch_classifier(), x, all_of(1, 4), options).values;
    for (std::int64_t i = 0; i < 4; ++i) {
      const at::Tensor map = found.narrow(0, i, 1);
      EXPECT_NEAR(mean_of(map), area, 0.02) << area << " " << i;
      EXPECT_GT(mean_of(inside(map)), 0.65) << area << " " << i;
      EXPECT_LT(mean_of(inside(map, kMaskSide - kMaskPatch)), 0.1) << area << " " << i;
    }
    EXPECT_LE(found.max().item<float>(), 1);
  }
}

/// A mask of the wanted area somewhere else scores less.
TEST(ExtremalPerturbation, ScoresMoreThanTheSamePartElsewhere) {
  const at::Tensor x = images(3), target = all_of(1, 3);
  const Classifier classifier = patch_classifier();
  const at::Tensor found = method("extremal_perturbation").run(classifier, x, target, on_black()).values;
  const at::Tensor kept = scores_of(classifier, found * x, target, Score::logit);
  for (const std::int64_t shift : {4, 8, 12})
    EXPECT_TRUE((kept > scores_of(classifier, found.roll({shift}, {2}) * x, target, Score::logit) + 1)
                    .all()
                    .item<bool>());
}

}  // namespace
}  // namespace whence::attribution
