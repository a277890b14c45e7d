// Semantic morphing against the thesis in float64, and where its way is known in closed form.
#include "whence/explain/counterfactual/morphing.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "support/errors.h"
#include "unit/counterfactual/flat_models.h"
#include "whence/core/error.h"

namespace whence::counterfactual {
namespace {

using at::Tensor;
using whence::test::contains;
using whence::test::error_of;
using whence::test::usage_error_of;

constexpr double kInfinity = std::numeric_limits<double>::infinity();

Tensor labels(std::initializer_list<std::int64_t> values) {
  return at::tensor(at::ArrayRef(values.begin(), values.size()), at::kLong);
}

/// Two classes; f = W z.
OfCode linear(const Tensor& weight) {
  return {weight.size(0), [weight](const Tensor& z) { return z.matmul(weight.t()); }};
}

struct Flat {
  Identity both;
  OfCode classifier;
  ImageModel model;

  Flat(std::int64_t latents, OfCode own, const Tensor& images, const Tensor& their_labels)
      : both(latents),
        classifier(std::move(own)),
        model{both, both,
              known_codes(both, both, classifier, images.view({-1, 1, 1, latents}), their_labels)} {}
};

TEST(CodePath, RadialPathsKeepNormsAndLinearOnesCutThrough) {
  const Tensor first = at::tensor({3.F, 0.F, 0.F}).view({1, 3}),
               second = at::tensor({0.F, 3.F, 0.F}).view({1, 3});
  const Tensor places = at::linspace(0, 1, 11);
  const Tensor radial = code_path(first, second, places, PathKind::radial).norm(2, 2);
  EXPECT_LT(largest(radial - 3), 1e-5);
  const Tensor linear_norms = code_path(first, second, places, PathKind::linear).norm(2, 2);
  EXPECT_NEAR(linear_norms[5].item<double>(), 3 / std::sqrt(2.0), 1e-5);
  // Independent codes: the expected squared norm is theirs all along.
  const Tensor a = normal_codes(4000, 16), b = a.roll(1, 0);
  const Tensor squares = code_path(a, b, at::tensor({0.3F}), PathKind::radial).square().sum(2);
  EXPECT_NEAR(squares.mean().item<double>(), 16, 0.4);
  EXPECT_TRUE(at::allclose(code_path(a, b, at::tensor({0.F, 1.F}), PathKind::radial), at::stack({a, b})));
}

TEST(Entropy, OfTwoClassesInBits) {
  const Tensor logits = at::tensor({0.F, 0.F, -50.F, 7.1F, 0.F, 30.F}).view({2, 3});
  const Tensor entropy = two_class_entropy(logits, labels({1, 1}), labels({0, 0}));
  EXPECT_NEAR(entropy[0].item<double>(), 1, 1e-6);
  const double p = 1 / (1 + std::exp(-7.1)), q = 1 - p;
  EXPECT_NEAR(entropy[1].item<double>(), -p * std::log2(p) - q * std::log2(q), 1e-5);
  // Of the second image the two classes are plain, but a third one is the answer.
  EXPECT_FALSE(is_finished(logits, labels({1, 1}), labels({0, 0}), 0.01).any().item<bool>());
  EXPECT_NEAR(lead_of(logits, labels({0, 2}))[1].item<double>(), 30 - 7.1, 1e-5);
}

/// The thesis, sections 4.2 and 4.5, one image at a time in float64, for f = W c: the steps until it stops, and the code.
struct Slow {
  std::vector<double> code;
  std::int64_t steps = 0;
};
Slow slow_published(const std::vector<std::vector<double>>& weight, std::vector<double> c, std::size_t self,
                    std::size_t other, double mean_norm, double alpha, double rate, double threshold,
                    std::int64_t most) {
  std::vector<double> m(c.size(), 0), v(c.size(), 0);
  double objective_mean = 0, likelihood_mean = 0;
  for (std::int64_t t = 1; t <= most; ++t) {
    std::vector<double> f(weight.size(), 0);
    for (std::size_t k = 0; k < f.size(); ++k)
      for (std::size_t d = 0; d < c.size(); ++d) f[k] += weight[k][d] * c[d];
    const double p = 1 / (1 + std::exp(f[self] - f[other]));
    double all = 0, norm = 0;
    for (const double each : f) all += std::exp(each);
    for (const double each : c) norm += each * each;
    norm = std::sqrt(norm);
    const double entropy = -p * std::log2(p) - (1 - p) * std::log2(1 - p);
    if (entropy < threshold && std::exp(f[other]) / all > 0.5) return {c, t - 1};
    objective_mean += (std::abs(f[other]) - objective_mean) / static_cast<double>(t);
    likelihood_mean += ((norm - mean_norm) * (norm - mean_norm) - likelihood_mean) / static_cast<double>(t);
    for (std::size_t d = 0; d < c.size(); ++d) {
      const double gradient =
          -weight[other][d] + alpha * objective_mean / likelihood_mean * 2 * (norm - mean_norm) * c[d] / norm;
      m[d] = 0.9 * m[d] + 0.1 * gradient;
      v[d] = 0.999 * v[d] + 0.001 * gradient * gradient;
      c[d] -= rate * (m[d] / (1 - std::pow(0.9, t))) / (std::sqrt(v[d] / (1 - std::pow(0.999, t))) + 1e-8);
    }
  }
  return {c, most};
}

TEST(PublishedMorph, FollowsTheThesisInFloat64) {
  const std::vector<std::vector<double>> rows = {{2, -1, 0.5}, {-1, 2, 1}, {0.3, 0.4, -2}};
  const Tensor weight = at::tensor({2.F, -1.F, 0.5F, -1.F, 2.F, 1.F, 0.3F, 0.4F, -2.F}).view({3, 3});
  const Tensor images = at::cat(
      {normal_codes(60, 3) + at::tensor({2.F, 0.F, 0.F}), normal_codes(60, 3) + at::tensor({0.F, 3.F, 0.F})});
  const Flat flat(3, linear(weight), images,
                  at::cat({at::zeros({60}, at::kLong), at::ones({60}, at::kLong)}));
  const Tensor codes = at::tensor({1.5F, -0.2F, 0.3F, 0.9F, 0.1F, -0.2F, 2.5F, 0.4F, 0.1F}).view({3, 3});
  MorphOptions options;
  options.method = MorphMethod::published;
  options.fallback = false;
  options.published = {0.7, 1e-2, 900};
  const Morphs found =
      morph(flat.model, flat.classifier, codes, labels({0, 0, 0}), labels({1, 1, 1}), options);
  const double mean_norm = images.narrow(0, 60, 60).norm(2, 1).mean().item<double>();
  for (std::int64_t i = 0; i < 3; ++i) {
    std::vector<double> start;
    for (std::int64_t d = 0; d < 3; ++d) start.push_back(codes[i][d].item<double>());
    const Slow slow = slow_published(rows, start, 0, 1, mean_norm, 0.7, 1e-2, 0.01, 900);
    EXPECT_GT(slow.steps, 20);
    EXPECT_LT(slow.steps, 900);
    EXPECT_NEAR(found.iterations[i].item<double>(), static_cast<double>(slow.steps), 1) << i;
    for (std::int64_t d = 0; d < 3; ++d)
      EXPECT_NEAR(found.moved[i][d].item<double>(), slow.code[static_cast<std::size_t>(d)], 1e-2) << i;
  }
  EXPECT_TRUE(found.ended(Ending::finished).all().item<bool>());
  EXPECT_LT(found.entropy.max().item<double>(), 0.01);
}

/// With a constant gradient Adam moves every latent by its rate, so the way is known.
TEST(AnchoredMorph, OfLinearModelsIsKnownInClosedForm) {
  const Tensor weight = at::tensor({0.5F, -1.F, -0.5F, 1.F}).view({2, 2});  // lead of class 1: -z0 + 2 z1
  const Tensor images = at::tensor({4.F, 0.F, 5.F, 1.F, 0.F, 4.F, 1.F, 5.F}).view({4, 2});
  const Flat flat(2, linear(weight), images, labels({0, 0, 1, 1}));
  const Tensor code = at::tensor({4.F, 1.F}).view({1, 2});
  MorphOptions options;
  options.anchored.norm_weight = 0;
  options.fallback = false;
  const Morphs found = morph(flat.model, flat.classifier, code, labels({0}), labels({1}), options);
  // (1, 5) has the larger cosine with (4, 1) of the two images of class 1.
  double x = std::sqrt(0.5) * 4 + std::sqrt(0.5) * 1, y = std::sqrt(0.5) * 1 + std::sqrt(0.5) * 5;
  std::int64_t steps = 0;
  const auto entropy = [](double lead) {
    const double p = 1 / (1 + std::exp(-lead));
    return -p * std::log2(p) - (1 - p) * std::log2(1 - p);
  };
  for (; !(2 * y - x > 0 && entropy(2 * y - x) < 0.01); ++steps) {
    const double rate = 0.03 * 0.5 * (1 + std::cos(std::numbers::pi * static_cast<double>(steps) / 150));
    x -= rate;
    y += rate;
  }
  EXPECT_GT(steps, 3);
  EXPECT_EQ(found.iterations[0].item<std::int64_t>(), steps);
  EXPECT_NEAR(found.moved[0][0].item<double>(), x, 1e-4);
  EXPECT_NEAR(found.moved[0][1].item<double>(), y, 1e-4);
}

TEST(AnchoredMorph, DoesNotDependOnTheImagesBesideIt) {
  const Tensor weight = normal_codes(3, 4);
  const Tensor images = 2 * normal_codes(300, 4);
  const OfCode classifier = linear(weight);
  const Flat flat(4, linear(weight), images, classifier.logits(images).argmax(1));
  const Tensor codes = images.narrow(0, 0, 20), from = classifier.logits(codes).argmax(1),
               to = (from + 1).remainder(3);
  const Morphs all = morph(flat.model, flat.classifier, codes, from, to, {});
  for (const std::int64_t row : {0, 7, 19}) {
    const auto one = [&](const Tensor& x) { return x.narrow(0, row, 1); };
    const Morphs own = morph(flat.model, flat.classifier, one(codes), one(from), one(to), {});
    EXPECT_TRUE(at::allclose(own.moved, one(all.moved), 1e-4, 1e-5));
    EXPECT_TRUE(at::equal(own.iterations, one(all.iterations)));
  }
  EXPECT_TRUE(flat.classifier.logits(all.moved).argmax(1).eq(to).all().item<bool>());
}

/// A classifier that is never sure: the rule cannot be met.
TEST(Morph, EndsAsSureAsATrainingImageOrAtOneOrFails) {
  const OfCode unsure(3, [](const Tensor& z) {
    const Tensor s = 2 * z.select(1, 0).tanh();
    return at::stack({-s, s, at::full_like(s, -9)}, 1);
  });
  const Tensor images = at::tensor({-3.F, -1.F, -0.5F, 0.2F, 1.F, 3.F}).view({6, 1});
  const Flat flat(1, unsure, images, labels({0, 0, 0, 1, 1, 1}));
  EXPECT_NEAR(flat.model.known.typical_lead[1].item<double>(), 4 * std::tanh(1.0), 1e-5);
  EXPECT_EQ(flat.model.known.typical_lead[2].item<double>(), kInfinity);
  const Tensor code = at::tensor({-1.F}).view({1, 1});
  MorphOptions options;
  const auto ending = [&](std::int64_t to) {
    return static_cast<Ending>(morph(flat.model, flat.classifier, code, labels({0}), labels({to}), options)
                                   .endings[0]
                                   .item<std::int64_t>());
  };
  EXPECT_EQ(ending(1), Ending::as_sure);
  EXPECT_EQ(ending(2), Ending::failed);  // no training image is of class 2
  options.anchored = {.iterations = 1, .anchors = 1, .start = 0};
  EXPECT_EQ(ending(1), Ending::training_code);
  const Morphs given = morph(flat.model, flat.classifier, code, labels({0}), labels({1}), options);
  EXPECT_GT(given.moved.item<double>(), 0);
  options.fallback = false;
  EXPECT_EQ(ending(1), Ending::failed);
}

/// A decoder that knows half of the image: its second value is the residual's alone, and the classifier sees both.
class FirstValue final : public models::Decoder, public models::Encoder {
 public:
  Tensor decode(const Tensor& z) const override {
    return at::cat({z, at::full_like(z, 0.5)}, 1).view({-1, 1, 1, 2});
  }
  models::Posterior encode(const Tensor& x) const override {
    return {x.flatten(1).narrow(1, 0, 1), at::full({x.size(0), 1}, -9)};
  }
  std::int64_t latents() const override { return 1; }
};

TEST(Morph, CarriesTheResidualAlong) {
  const FirstValue both;
  const OfCode classifier(2, [](const Tensor& x) {  // class 1 where the first value is above the second
    const Tensor lead = 40 * (x.select(1, 0) - x.select(1, 1));
    return at::stack({-lead, lead}, 1);
  });
  const Tensor known = at::tensor({0.1F, 0.5F, 0.2F, 0.5F, 0.8F, 0.5F, 0.9F, 0.5F}).view({4, 1, 1, 2});
  const ImageModel model{both, both, known_codes(both, both, classifier, known, labels({0, 0, 1, 1}))};
  const Tensor image = at::tensor({0.3F, 0.7F}).view({1, 1, 1, 2}), code = both.encode(image).mean;
  const Tensor residual = image - both.decode(code);
  EXPECT_TRUE(at::allclose(decode_with(both, code, residual), image));
  EXPECT_TRUE(at::equal(decode_with(both, code, {}), both.decode(code)));
  EXPECT_TRUE(at::allclose(decode_with(both, code, residual + 9), at::ones({1, 1, 1, 2})));

  // Finished where the classifier is sure of the whole image: above 0.7, the residual's value, not above 0.5.
  const Morphs found = morph(model, classifier, code, labels({0}), labels({1}), {}, {}, residual);
  EXPECT_TRUE(found.ended(Ending::finished).item<bool>());
  EXPECT_GT(found.moved.item<double>(), 0.75);
  EXPECT_TRUE(at::equal(found.residual, residual));
  const Morphs without = morph(model, classifier, code, labels({0}), labels({1}), {});
  EXPECT_EQ(without.iterations.item<std::int64_t>(), 0);  // halfway to 0.8 the reconstruction is sure already
  EXPECT_GT(found.iterations.item<std::int64_t>(), 0);
  EXPECT_FALSE(without.residual.defined());

  // A training image that stands for a morph is shown as it is.
  MorphOptions options;
  options.anchored = {.iterations = 1, .anchors = 1, .start = 0};
  const Morphs given = morph(model, classifier, code, labels({0}), labels({1}), options, {}, residual);
  EXPECT_TRUE(given.ended(Ending::training_code).item<bool>());
  EXPECT_EQ(largest(given.residual), 0);
}

TEST(KnownCodes, NormsAnswersAndErrors) {
  const Tensor images = at::tensor({3.F, 4.F, 6.F, 8.F, -1.F, 0.F, -3.F, 0.F}).view({4, 2});
  const Flat flat(2,
                  {2,
                   [](const Tensor& z) {
                     return at::stack({z.select(1, 0), -z.select(1, 0)}, 1);
                   }},
                  images, labels({0, 0, 1, 1}));
  const KnownCodes& known = flat.model.known;
  EXPECT_TRUE(at::allclose(known.norm_mean, at::tensor({7.5F, 2.F})));
  EXPECT_TRUE(at::allclose(known.norm_deviation, at::tensor({5 / std::sqrt(2.F), std::sqrt(2.F)})));
  EXPECT_TRUE(at::equal(known.answers, labels({0, 0, 1, 1})));
  EXPECT_TRUE(at::allclose(known.leads, at::tensor({6.F, 12.F, 2.F, 6.F})));
  EXPECT_EQ(largest(known.errors), 0);
}

/// An encoder whose mean is of another class than its image.
class Biased final : public models::Encoder {
 public:
  models::Posterior encode(const Tensor& x) const override {
    return {x.flatten(1) - at::tensor({1.F, 0.F}), at::zeros({x.size(0), 2})};
  }
  std::int64_t latents() const override { return 2; }
};

TEST(CodesOfImages, KeepTheTwoMostProbableClasses) {
  const Biased encoder;
  const Identity decoder(2);
  const OfCode classifier(2, [](const Tensor& z) { return at::stack({z.select(1, 0), -z.select(1, 0)}, 1); });
  const Tensor images = at::tensor({0.5F, 0.F, 3.F, 0.F}).view({2, 1, 1, 2});
  Generator generator = make_generator(3, "test/codes");
  const ImageCodes found = codes_of_images(encoder, decoder, classifier, images, {.draws = 64}, generator);
  EXPECT_TRUE(found.kept.all().item<bool>());
  EXPECT_TRUE(at::equal(found.answers, labels({0, 1, 0, 1}).view({2, 2})));
  EXPECT_GT(found.codes[0][0].item<double>(), 0);                  // a draw
  EXPECT_TRUE(at::equal(found.codes[1], at::tensor({2.F, 0.F})));  // the mean keeps the answer already
  EXPECT_LT(found.errors[0].item<double>(), 1);
  Generator again = make_generator(3, "test/codes");
  const ImageCodes drawn =
      codes_of_images(encoder, decoder, classifier, images, {.draws = 64, .mean_first = false}, again);
  EXPECT_LT(drawn.errors[1].item<double>(), 1);  // nearer than the mean
}

TEST(Morph, BadInputIsNamed) {
  const Tensor weight = normal_codes(2, 2), images = normal_codes(20, 2);
  const OfCode classifier = linear(weight);
  const Tensor answers = classifier.logits(images).argmax(1);
  const Flat flat(2, linear(weight), images, answers);
  const auto try_to = [&](std::int64_t to) {
    morph(flat.model, flat.classifier, images.narrow(0, 0, 1), labels({0}), labels({to}), {});
  };
  EXPECT_TRUE(contains(usage_error_of([&] { try_to(0); }), "of class 0 already"));
  EXPECT_TRUE(contains(usage_error_of([&] { try_to(5); }), "there is no class 5"));
  const auto known = [&](const Identity& decoder, const Tensor& pixels, const Tensor& their_labels) {
    known_codes(decoder, decoder, classifier, pixels, their_labels);
  };
  const Tensor pixels = images.view({20, 1, 1, 2});
  EXPECT_TRUE(
      contains(usage_error_of([&] { known(Identity(2), pixels, at::zeros_like(answers)); }), "of one class"));
  EXPECT_TRUE(contains(error_of([&] { known(Identity(2), images.view({20, 1, 2, 1}), answers); }), "1x1x2"));
  EXPECT_TRUE(contains(error_of([&] { known_codes(Identity(3), Identity(2), classifier, pixels, answers); }),
                       "must belong to one model"));
  EXPECT_TRUE(contains(error_of([&] { known(Identity(2), pixels / 0, answers); }), "NaN"));
}

}  // namespace
}  // namespace whence::counterfactual
