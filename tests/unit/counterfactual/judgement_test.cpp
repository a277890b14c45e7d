// Measures of changed images on cases that are made by hand, and adversarial changes of linear classifiers.
#include "whence/explain/counterfactual/judgement.h"

#include <gtest/gtest.h>

#include <cmath>

#include "unit/counterfactual/flat_models.h"
#include "whence/explain/counterfactual/adversarial.h"
#include "whence/explain/counterfactual/morphing.h"

namespace whence::counterfactual {
namespace {

using at::Tensor;

/// Forgets the second value of an image.
class Forgetful final : public models::Encoder {
 public:
  models::Posterior encode(const Tensor& x) const override {
    return {x.flatten(1) * at::tensor({1.F, 0.F}), at::zeros({x.size(0), 2})};
  }
  std::int64_t latents() const override { return 2; }
};

OfCode first_against_second() {
  return {2, [](const Tensor& z) { return z; }};
}

Tensor as_images(const Tensor& rows) { return rows.view({-1, 1, 1, rows.size(1)}); }

TEST(Judgement, OfHandMadeChanges) {
  const Forgetful encoder;
  const Identity decoder(2);
  // Two images of class 0 at x = 0, 1; three of class 1 at x = 9, 10, 11.
  const Tensor images = at::tensor({0.F, 0.F, 1.F, 0.F, 9.F, 0.F, 10.F, 0.F, 11.F, 0.F}).view({5, 2});
  const Tensor labels = at::tensor({0, 0, 1, 1, 1}, at::kLong);
  const ImageModel model{encoder, decoder,
                         known_codes(encoder, decoder, first_against_second(), as_images(images), labels)};
  const OfCode independent(2, [](const Tensor& z) {
    return at::stack({5 - z.select(1, 0), z.select(1, 0) - 5}, 1);
  });
  ClassAutoencoders linear;
  linear.of_class = {{at::zeros({2}), at::tensor({1.F, 0.F}).view({2, 1})},
                     {at::zeros({2}), at::tensor({0.F, 1.F}).view({2, 1})}};
  linear.of_all = {at::tensor({1.F, 1.F}), at::eye(2)};
  const Judges judges{&model, &independent, &linear, 3};
  const Tensor before = as_images(at::tensor({0.F, 0.F, 0.F, 0.F}).view({2, 2}));
  const Tensor after = as_images(at::tensor({10.F, 2.F, 1.F, 3.F}).view({2, 2}));
  const Tensor from = at::tensor({0, 0}, at::kLong), to = at::tensor({1, 1}, at::kLong);
  const Judgement judged = judge(judges, before, after, from, to);
  EXPECT_TRUE(judged.transfers[0].item<bool>());
  EXPECT_FALSE(judged.transfers[1].item<bool>());
  EXPECT_TRUE(at::allclose(judged.neighbours, at::tensor({1.F, 1 / 3.F})));
  EXPECT_TRUE(at::allclose(judged.reencoding, at::tensor({4.F, 9.F})));
  EXPECT_TRUE(at::allclose(judged.distance, at::tensor({std::sqrt(104.F), std::sqrt(10.F)})));
  // AE_1 keeps the second value, AE_0 the first.
  EXPECT_TRUE(at::allclose(judged.interpretable, at::tensor({100 / 4.F, 1 / 9.F})));
  EXPECT_TRUE(at::allclose(judged.likeness, at::tensor({100 / 12.F, 1 / 4.F})));
  const Judgement less = judge({&model}, before, after, from, to);
  EXPECT_FALSE(less.transfers.defined());
  EXPECT_FALSE(less.interpretable.defined());
}

/// Two images of class 0 at x = 0, 1; three of class 1 at x = 9, 10, 11, as they are.
TEST(Judgement, WithoutAnAutoencoderNeighboursAreImages) {
  const KnownImages known{
      as_images(at::tensor({0.F, 0.F, 1.F, 0.F, 9.F, 0.F, 10.F, 0.F, 11.F, 0.F}).view({5, 2})),
      at::tensor({0, 0, 1, 1, 1}, at::kLong)};
  Judges judges;
  judges.images = &known;
  judges.neighbours = 3;
  const Tensor before = as_images(at::zeros({2, 2})),
               after = as_images(at::tensor({10.F, 2.F, 1.F, 3.F}).view({2, 2}));
  const Tensor from = at::tensor({0, 0}, at::kLong), to = at::tensor({1, 1}, at::kLong);
  const Judgement judged = judge(judges, before, after, from, to);
  EXPECT_TRUE(at::allclose(judged.neighbours, at::tensor({1.F, 1 / 3.F})));
  EXPECT_FALSE(judged.reencoding.defined());
  EXPECT_TRUE(at::allclose(judged.distance, at::tensor({std::sqrt(104.F), std::sqrt(10.F)})));
  EXPECT_FALSE(judge({}, before, after, from, to).neighbours.defined());
}

TEST(Judgement, AutoencodersOfClassesKnowTheirOwnImages) {
  // Class 0 varies along the first value, class 1 along the last.
  data::Dataset train;
  train.class_names = {"a", "b"};
  train.images = at::full({40, 1, 1, 3}, 100, at::kByte);
  train.labels = at::arange(40, at::kLong).remainder(2);
  for (std::int64_t i = 0; i < 40; ++i) train.images[i][0][0][i % 2 == 0 ? 0 : 2] = 6 * i;
  Generator generator = make_generator(1, "test/autoencoders");
  const ClassAutoencoders found = fit_class_autoencoders(train, 1, 1000, generator);
  const Tensor x = at::tensor({0.9F, 100 / 255.F, 100 / 255.F}).view({1, 3});
  EXPECT_EQ(found.of_class.size(), 2U);
  const auto error = [&](std::size_t label) {
    return (found.of_class[label].reconstruct(x) - x).square().sum().item<double>();
  };
  EXPECT_LT(error(0), error(1));
}

/// The shortest change of a linear classifier is the projection on its border; the ladder of radii is within its root of 2.
TEST(Adversarial, ChangesOfALinearClassifierAreShort) {
  const OfCode classifier(2, [](const Tensor& z) {
    const Tensor s = 40 * z.sum(1) - 60;
    return at::stack({s, -s}, 1);
  });
  const Tensor images = at::full({2, 1, 1, 4}, 0.5F) + at::tensor({0.F, 0.02F}).view({2, 1, 1, 1});
  const Tensor from = at::zeros({2}, at::kLong), to = at::ones({2}, at::kLong);
  for (const Ball ball : {Ball::l2, Ball::linf}) {
    const AdversarialChanges found = change_pixels(classifier, images, from, to, {.ball = ball});
    EXPECT_TRUE(found.found.all().item<bool>());
    EXPECT_TRUE(is_finished(classifier.logits(found.images), from, to, 0.01).all().item<bool>());
    const Tensor change = (found.images - images).flatten(1);
    // The lead 2 (60 - 40 sum) must pass 7.02: the sum falls to 1.412.
    const Tensor shortest = (images.flatten(1).sum(1) - 1.41225) / 4;  // in each value
    const Tensor size = ball == Ball::linf ? change.abs().amax(1) : change.norm(2, 1) / 2;
    EXPECT_TRUE(size.ge(shortest - 1e-3).all().item<bool>());
    EXPECT_TRUE(size.le(1.5 * shortest).all().item<bool>()) << size << shortest;
    EXPECT_GE(found.images.min().item<double>(), 0);
  }
  const AdversarialChanges none = change_pixels(classifier, images, from, to, {.most = 0.02});
  EXPECT_FALSE(none.found.any().item<bool>());
}

}  // namespace
}  // namespace whence::counterfactual
