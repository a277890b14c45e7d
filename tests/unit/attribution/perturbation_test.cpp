// Methods that change the image and look at the score, held to functions whose answer is known.
#include <gtest/gtest.h>

#include "support/errors.h"
#include "unit/attribution/cases.h"
#include "whence/explain/attribution/occlusion.h"
#include "whence/explain/attribution/rise.h"
#include "whence/explain/attribution/shapley_sampling.h"

namespace whence::attribution {
namespace {

using namespace known;

/// What covering each square of a linear function takes away, pixel by pixel, as a slow loop.
TEST(Occlusion, AgreesWithASlowLoop) {
  const at::Tensor x = random_images(2, {3, 7, 5});
  const at::Tensor w = random_images(1, {3, 7, 5}, 4)[0] - 0.5;
  const Classifier f = with_logit([&](const at::Tensor& images) {
    return (images * w).sum({1, 2, 3}).tanh();
  });
  const Occlusion own = {.window = 3, .stride = 2, .level = 0.4};
  at::Tensor sum = at::zeros({2, 7, 5}), times = at::zeros({7, 5});
  for (std::int64_t top = 0; top < 7 - 3 + 2; top += 2)
    for (std::int64_t left = 0; left < 5 - 3 + 2; left += 2) {
      at::Tensor covered = x.clone();
      const std::int64_t rows = std::min<std::int64_t>(3, 7 - top),
                         columns = std::min<std::int64_t>(3, 5 - left);
      covered.narrow(2, top, rows).narrow(3, left, columns).fill_(0.4);
      const at::Tensor fall = (x * w).sum({1, 2, 3}).tanh() - (covered * w).sum({1, 2, 3}).tanh();
      sum.narrow(1, top, rows).narrow(2, left, columns) += fall.view({2, 1, 1});
      times.narrow(0, top, rows).narrow(1, left, columns) += 1;
    }
  Options options;
  options.of<Occlusion>() = own;
  const at::Tensor found = method("occlusion").run(f, x, all_of(1, 2), options).values;
  EXPECT_TRUE(at::allclose(found.squeeze(1), sum / times, 1e-4, 1e-6));
}

TEST(Occlusion, WindowsLargerThanTheImageCoverAllOfIt) {
  const at::Tensor x = random_images(1);
  Options options;
  options.of<Occlusion>() = {.window = 50, .stride = 3};
  const at::Tensor found = method("occlusion").run(with_logit(linear), x, all_of(1, 1), options).values;
  EXPECT_TRUE(at::allclose(found, (linear(x) - 0.3).view({1, 1, 1, 1}).expand_as(found), 1e-4, 1e-5));
}

/// Cells are kept independently of each other, so E[f(m x) m] / keep = w x keep + ... is known for f = sum w x of one cell a pixel:
/// pixel i gets sum_j w_j x_j keep + w_i x_i (1 - keep), when masks are not enlarged or shifted.
TEST(Rise, OfALinearFunctionIsKnown) {
  const at::Tensor x = random_images(1, {1, 5, 5}), w = at::linspace(-1, 2, 25).view({1, 5, 5});
  const Classifier f = with_logit([&](const at::Tensor& images) { return (images * w).sum({1, 2, 3}); });
  Options options;
  options.of<Rise>() = {.masks = 20'000, .cells = 5, .keep = 0.3};
  const Attribution found = method("rise").run(f, x, all_of(1, 1), options);
  const at::Tensor expected = 0.3 * (x * w).sum() + 0.7 * x * w;
  EXPECT_LT(((found.values - expected) / found.standard_error).abs().max().item<double>(), 5);
  EXPECT_LT(found.standard_error.max().item<double>(), 0.05);
}

TEST(Rise, PointsAtTheOnlyPlaceThatCounts) {
  const at::Tensor x = at::ones({1, 1, 14, 14});
  const Classifier corner = with_logit([](const at::Tensor& images) {
    return images.narrow(2, 9, 3).narrow(3, 2, 3).mean({1, 2, 3});
  });
  Options options;
  options.of<Rise>().masks = 2000;
  const at::Tensor map = method("rise").run(corner, x, all_of(1, 1), options).values[0][0];
  const std::int64_t most = map.argmax().item<std::int64_t>();
  EXPECT_NEAR(static_cast<double>(most / 14), 10, 1);
  EXPECT_NEAR(static_cast<double>(most % 14), 3, 1);
}

/// Large images need no more passes than small ones.
TEST(Regions, AreASeventhOfTheImage) {
  const at::Tensor x = random_images(1, {1, 56, 64});
  const Classifier f = with_logit([](const at::Tensor& images) { return images.square().sum({1, 2, 3}); });
  const auto by = [&](std::string_view name, const auto& own) {
    Options options;
    options.of<std::decay_t<decltype(own)>>() = own;
    return method(name).run(f, x, all_of(1, 1), options).values;
  };
  EXPECT_TRUE(at::equal(by("occlusion", Occlusion{}), by("occlusion", Occlusion{.window = 8, .stride = 4})));
  EXPECT_TRUE(at::equal(by("shapley_sampling", ShapleySampling{.orders = 2}),
                        by("shapley_sampling", ShapleySampling{.orders = 2, .patch = 8})));
}

Options shapley(const ShapleySampling& own) {
  Options options;
  options.of<ShapleySampling>() = own;
  return options;
}

/// Of a sum of pairwise products each region gets its own part and half of every product it is in.
TEST(ShapleySampling, OfPairwiseProductsIsKnown) {
  const at::Tensor x = random_images(2, {1, 1, 6});
  const at::Tensor pairs = (random_images(1, {1, 6, 6}, 3)[0][0] - 0.5).triu(1);
  const Classifier f = with_logit([&](const at::Tensor& images) {
    const at::Tensor flat = images.flatten(1);
    return (flat.mm(pairs) * flat).sum(1) + 2 * flat.sum(1);
  });
  const at::Tensor flat = x.flatten(1), both = pairs + pairs.t();
  const at::Tensor expected = 2 * flat + 0.5 * flat * flat.mm(both);
  // An order and its reverse see each pair both ways: any number of pairs of orders is exact.
  const Attribution found =
      method("shapley_sampling").run(f, x, all_of(1, 2), shapley({.orders = 4, .patch = 1}));
  EXPECT_TRUE(at::allclose(found.values.flatten(1), expected, 1e-4, 1e-5));
  EXPECT_LT(found.completeness_error.abs().max().item<double>(), 1e-5);
}

/// A product of three is not exact by pairs of orders; all 24 orders of four regions are.
TEST(ShapleySampling, SamplesComeNearTheExactValues) {
  const at::Tensor x = row({0.9F, 0.8F, 0.7F, 0.5F});
  const Classifier f = with_logit([](const at::Tensor& images) {
    const at::Tensor flat = images.flatten(1);
    return flat.select(1, 0) * flat.select(1, 1) * flat.select(1, 2) + flat.select(1, 3);
  });
  const at::Tensor third = at::full({3}, 0.9 * 0.8 * 0.7 / 3);
  const at::Tensor expected = at::cat({third, at::tensor({0.5F})});
  const Attribution exact =
      method("shapley_sampling").run(f, x, all_of(1, 1), shapley({.orders = 24, .patch = 1}));
  EXPECT_TRUE(at::allclose(exact.values.flatten(), expected, 1e-5));
  const Attribution sampled =
      method("shapley_sampling").run(f, x, all_of(1, 1), shapley({.orders = 22, .patch = 1}));
  const at::Tensor off = (sampled.values.flatten() - expected).abs();
  EXPECT_GT(off.max().item<double>(), 1e-6);
  EXPECT_TRUE((off <= 5 * sampled.standard_error.flatten() + 1e-6).all().item<bool>());
}

TEST(ShapleySampling, PixelsShareWhatTheirRegionGets) {
  const at::Tensor x = at::ones({1, 1, 3, 3});
  const Classifier f = with_logit([](const at::Tensor& images) { return images.sum({1, 2, 3}); });
  const Attribution found = method("shapley_sampling").run(f, x, all_of(1, 1), shapley({.patch = 2}));
  EXPECT_TRUE(at::allclose(found.values, x));
}

}  // namespace
}  // namespace whence::attribution
