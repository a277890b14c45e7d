// The measures of generators where they are known: normal distributions, and sets that overlap by a known share.
#include "whence/models/evaluation/sample_quality.h"

#include <gtest/gtest.h>

#include "support/errors.h"
#include "whence/core/random.h"
#include "whence/models/evaluation/features.h"
#include "whence/models/zoo/zoo.h"

namespace whence::models {
namespace {

constexpr auto kDouble = at::kDouble;

/// Of matrices that commute it is |m1 - m2|^2 + sum (s1 - s2)^2, s their standard deviations.
TEST(FrechetDistance, IsTheClosedFormOfNormals) {
  const at::Tensor m1 = at::tensor({1.0, -2.0, 0.5}, kDouble), m2 = at::tensor({0.0, -2.0, 2.5}, kDouble);
  const at::Tensor s1 = at::tensor({1.0, 3.0, 0.5}, kDouble), s2 = at::tensor({2.0, 1.0, 0.5}, kDouble);
  EXPECT_NEAR(frechet_distance(m1, s1.square().diag(), m2, s2.square().diag()), 1 + 4 + 1 + 4, 1e-10);
  EXPECT_NEAR(frechet_distance(m1, s1.square().diag(), m1, s1.square().diag()), 0, 1e-10);
  // A rotation of both changes nothing.
  Generator generator = make_generator(1, "test");
  const at::Tensor q = std::get<0>(at::linalg_qr(at::randn({3, 3}, generator, kDouble)));
  const auto turned = [&](const at::Tensor& s) { return at::matmul(q * s.square(), q.t()); };
  EXPECT_NEAR(frechet_distance(at::matmul(q, m1), turned(s1), at::matmul(q, m2), turned(s2)), 10, 1e-9);
}

/// tr (C1 C2)^(1/2) in two dimensions is sqrt(tr(C1 C2) + 2 sqrt(det(C1 C2))) (Cayley-Hamilton); these do not commute.
TEST(FrechetDistance, IsTheClosedFormOfTwoDimensions) {
  const at::Tensor c1 = at::tensor({2.0, 0.7, 0.7, 1.0}, kDouble).view({2, 2});
  const at::Tensor c2 = at::tensor({0.5, -0.3, -0.3, 3.0}, kDouble).view({2, 2});
  const at::Tensor product = at::matmul(c1, c2);
  const double trace = product.trace().item<double>(),
               determinant = (product[0][0] * product[1][1] - product[0][1] * product[1][0]).item<double>();
  const double expected =
      (c1.trace() + c2.trace()).item<double>() - 2 * std::sqrt(trace + 2 * std::sqrt(determinant));
  const at::Tensor zero = at::zeros({2}, kDouble);
  EXPECT_NEAR(frechet_distance(zero, c1, zero, c2), expected, 1e-10);
}

TEST(FrechetDistance, ItsStandardErrorIsTheSpreadOfRepetitions) {
  constexpr int kTimes = 200;
  std::vector<double> values, errors;
  for (int i = 0; i < kTimes; ++i) {
    Generator generator = make_generator(static_cast<std::uint64_t>(i), "test/frechet");
    const at::Tensor a = at::randn({300, 4}, generator, kDouble);
    const at::Tensor b = at::randn({300, 4}, generator, kDouble) * 1.5 + 0.5;
    const Estimated distance = frechet_distance(a, b);
    values.push_back(distance.value);
    errors.push_back(distance.se);
  }
  const at::Tensor all = at::tensor(values, kDouble);
  const double truth = 4 * (0.25 + 0.25);
  EXPECT_NEAR(all.mean().item<double>(), truth, 0.15);  // the header says by how much it is too large
  const double spread = all.std().item<double>(), told = at::tensor(errors, kDouble).mean().item<double>();
  EXPECT_NEAR(told / spread, 1, 0.15);
}

TEST(FrechetDistance, LeavesNoGroupOut) {
  // One row a group: the plain jackknife, written out.
  Generator generator = make_generator(5, "test");
  const at::Tensor a = at::randn({12, 2}, generator, kDouble), b = at::randn({12, 2}, generator, kDouble) + 1;
  std::vector<double> without;
  for (std::int64_t i = 0; i < 12; ++i) {
    const auto rest = [&](const at::Tensor& x) {
      return at::cat({x.narrow(0, 0, i), x.narrow(0, i + 1, 11 - i)});
    };
    without.push_back(frechet_distance(rest(a), rest(b)).value);
  }
  const at::Tensor values = at::tensor(without, kDouble);
  const double expected = std::sqrt(11.0 / 12 * (values - values.mean()).square().sum().item<double>());
  EXPECT_NEAR(frechet_distance(a, b).se, expected, 1e-9);
}

/// Two distant clusters of real images, of which the samples have one and a third that no image has.
TEST(PrecisionAndRecall, AreTheSharesOfSetsThatOverlap) {
  Generator generator = make_generator(2, "test");
  const auto cluster = [&](double where, std::int64_t count) {
    return at::randn({count, 2}, generator, kDouble) + where;
  };
  const at::Tensor real = at::cat({cluster(0, 600), cluster(100, 400)});
  const at::Tensor samples = at::cat({cluster(0, 750), cluster(-100, 250)});
  const PrecisionRecall found = precision_and_recall(real, samples);
  EXPECT_NEAR(found.precision.value, 0.75, 0.03);
  EXPECT_NEAR(found.recall.value, 0.6, 0.03);
  EXPECT_NEAR(found.recall.se, std::sqrt(0.6 * 0.4 / 1000), 2e-4);
  const PrecisionRecall same = precision_and_recall(real, real);
  EXPECT_EQ(same.precision.value, 1);
  EXPECT_EQ(same.recall.value, 1);
}

/// By hand on a line: the balls around 0, 1, 3, 10 with k = 1 reach 1, 1, 2, 7 far.
TEST(PrecisionAndRecall, CountBallsByHand) {
  const auto line = [](std::vector<double> x) { return at::tensor(x, kDouble).unsqueeze(1); };
  const at::Tensor real = line({0, 1, 3, 10}), samples = line({-0.9, -1.1, 17.1, 16.9});
  const PrecisionRecall found = precision_and_recall(real, samples, 1);
  EXPECT_EQ(found.precision.value, 0.5);  // -0.9 and 16.9
  EXPECT_EQ(found.recall.value, 0);       // their balls are 0.2 wide
}

TEST(SampleQuality, RefusesWhatCannotBeCompared) {
  const at::Tensor few = at::zeros({3, 2}, kDouble), other = at::zeros({9, 5}, kDouble);
  EXPECT_TRUE(test::contains(test::usage_error_of([&] { precision_and_recall(few, few); }), "too small"));
  EXPECT_TRUE(
      test::contains(test::usage_error_of([&] { frechet_distance(few, other); }), "2 and 5 features"));
  EXPECT_THROW(frechet_distance(other, at::full({9, 5}, NAN, kDouble)), Error);
}

TEST(Features, AreTheLastHiddenLayerOrTheNamedOne) {
  nn::Network network = base_cnn({.image = {1, 12, 12}, .classes = 3, .width = 4});
  Generator generator = make_generator(3, "test");
  nn::initialise(network, {}, generator);
  const auto classifier = as_classifier(network);
  const at::Tensor images = at::rand({5, 1, 12, 12}, generator);
  const Features hidden(*classifier);
  EXPECT_EQ(hidden.size(), 16);
  EXPECT_EQ(hidden.of(images).sizes(), at::IntArrayRef({5, 16}));
  // The classifier's last layer makes its logits of them.
  const nn::NamedTensors weights = network.parameters();
  const at::Tensor w = weights[weights.size() - 2].tensor.to(kDouble), b = weights.back().tensor.to(kDouble);
  const at::Tensor logits = at::matmul(hidden.of(images), w.t()) + b;
  EXPECT_LT((logits - classifier->logits(images)).abs().max().item<double>(), 1e-5);
  const Features maps(*classifier, "conv2");
  EXPECT_EQ(maps.of(images).sizes(), at::IntArrayRef({5, 8}));
  EXPECT_LT((maps.of(images) - network.activations(images)[network.find("conv2")].mean({2, 3}))
                .abs()
                .max()
                .item<double>(),
            1e-5);
  EXPECT_TRUE(test::contains(test::error_of([&] { Features(*classifier, "conv3"); }), "conv"));
}

}  // namespace
}  // namespace whence::models
