// Which module moves a classifier, where the answer is known.
#include "whence/explain/modularity/effect.h"

#include "unit/modularity/generators.h"

namespace whence::modularity {
namespace {

using namespace test_support;
using test::contains;
using test::usage_error_of;

/// Looks at the lower right quarter of the image alone: bright or dark.
class QuarterClassifier final : public models::Classifier {
 public:
  at::Tensor logits(const at::Tensor& x) const override {
    const at::Tensor sum = 100 * x.narrow(2, 4, 4).narrow(3, 4, 4).flatten(1).mean(1);
    return at::stack({-sum, sum}, 1);
  }
  std::int64_t classes() const override { return 2; }
};

TEST(Effects, AreThoseOfTheModuleThatTheClassifierLooksAt) {
  const Cut cut(planted_generator());
  Generator generator = make_generator(1, "test");
  const std::vector<Channels> sets = {{0, 1, 2}, {3, 4}, {5}, {0, 1, 2, 3, 4, 5}, {3}};
  const std::vector<Effect> found =
      effects(cut, QuarterClassifier(), sets, from_prior(6), {.outer = 80, .inner = 80}, generator);
  const double all = std::log(2.0);
  for (const std::size_t silent : {0U, 2U}) {
    EXPECT_NEAR(found[silent].flow.nats, 0, 0.01);
    EXPECT_EQ(found[silent].flips.mean, 0);
    EXPECT_EQ(found[silent].copies.mean, 0);
  }
  for (const std::size_t whole : {1U, 3U}) {
    EXPECT_NEAR(found[whole].flow.nats, all, 0.05);
    EXPECT_NEAR(found[whole].flips.mean, 0.5, 0.1);
    EXPECT_EQ(found[whole].copies.mean, 1);
  }
  // The answer is the sign of 4 a_3 + 5 a_4: each alone has a part.
  EXPECT_GT(found[4].flow.nats, 0.1);
  EXPECT_LT(found[4].flow.nats, 0.4);
  EXPECT_GT(found[4].flow.se, 0);
}

/// p(bright | a_3) = Phi(4 a_3 / 5): the flow by quadrature.
TEST(Effects, OfOneChannelAgreeWithQuadrature) {
  const Cut cut(planted_generator());
  Generator generator = make_generator(2, "test");
  const Effect found =
      effects(cut, QuarterClassifier(), {{3}}, from_prior(6), {.outer = 400, .inner = 400}, generator)
          .front();
  double information = 0;
  for (double a = -8; a <= 8; a += 0.001) {
    const double p = 0.5 * std::erfc(-4 * a / 5 / std::sqrt(2.0));
    const double entropy = (p > 0 ? -p * std::log(p) : 0) + (p < 1 ? -(1 - p) * std::log1p(-p) : 0);
    information += 0.001 * std::exp(-a * a / 2) / std::sqrt(2 * M_PI) * (std::log(2.0) - entropy);
  }
  EXPECT_NEAR(found.flow.nats, information, 4 * found.flow.se);
  EXPECT_LT(found.flow.se, 0.03);
}

TEST(ScaledAnswers, AblationTakesTheAnswerAway) {
  const Cut cut(planted_generator());
  Generator generator = make_generator(3, "test");
  const at::Tensor codes = at::randn({200, 6}, generator);
  const std::vector<ScaledAnswers> found =
      scaled_answers(cut, QuarterClassifier(), {{0, 1, 2}, {3, 4}}, codes, {0, 0.5, 1, 2});
  for (const Measured& kept : found[0].kept) EXPECT_EQ(kept.mean, 1);
  EXPECT_NEAR(found[1].kept[0].mean, 0.5, 0.15);  // one answer for all
  EXPECT_EQ(found[1].kept[2].mean, 1);
  EXPECT_GT(found[1].kept[3].mean, 0.9);
}

TEST(Effects, BadInput) {
  const Cut cut(planted_generator());
  Generator generator = make_generator(1, "test");
  EXPECT_TRUE(contains(usage_error_of([&] {
                         effects(cut, QuarterClassifier(), {{0}}, from_prior(6), {.outer = 1}, generator);
                       }),
                       "at least 2x2"));
  nn::Network network("other", {1, 9, 9});
  network.add("flat", nn::Flatten{});
  network.add("out", nn::Linear{2});
  const auto classifier = models::as_classifier(network);
  EXPECT_TRUE(
      contains(usage_error_of([&] { effects(cut, *classifier, {{0}}, from_prior(6), {}, generator); }),
               "takes images of 1x9x9, but the generator makes images of 1x8x8"));
}

}  // namespace
}  // namespace whence::modularity
