// Refinement of codes, where the best code is known in closed form.
#include "explain/counterfactual/refine.h"

#include <gtest/gtest.h>

#include "support/errors.h"
#include "unit/counterfactual/flat_models.h"
#include "whence/core/error.h"
#include "whence/explain/counterfactual/morphing.h"

namespace whence::counterfactual {
namespace {

using at::Tensor;
using whence::test::contains;
using whence::test::error_of;
using whence::test::usage_error_of;

/// g(z) = A z as an image; its encoder says 0.
class Linear final : public models::Decoder, public models::Encoder {
 public:
  explicit Linear(Tensor a) : a_(std::move(a)) {}
  Tensor decode(const Tensor& z) const override { return z.matmul(a_.t()).view({-1, 1, 1, a_.size(0)}); }
  models::Posterior encode(const Tensor& x) const override {
    return {at::zeros({x.size(0), a_.size(1)}), at::full({x.size(0), a_.size(1)}, -20.0)};
  }
  std::int64_t latents() const override { return a_.size(1); }

 private:
  Tensor a_;
};

/// The answer of every image is class 0, then class 1.
OfCode same_answer() {
  return {2, [](const Tensor& z) { return at::tensor({1.F, 0.F}).expand({z.size(0), 2}); }};
}

ImageCodes codes(const Linear& both, const models::Classifier& classifier, const Tensor& images,
                 const CodeOptions& options) {
  Generator generator = make_generator(1, "refine-test");
  return codes_of_images(both, both, classifier, images, options, generator);
}

Tensor matrix() { return normal_codes(5, 3) * 0.6; }
Tensor some_images(std::int64_t count) { return normal_codes(count, 5).view({count, 1, 1, 5}); }

/// |A z - x|^2 + w |z|^2 is least at the ridge solution (A'A + w I)^-1 A'x.
TEST(Refinement, FindsTheRidgeSolutionOfALinearDecoder) {
  const Linear both(matrix());
  const Tensor images = some_images(7);
  CodeOptions options;
  options.refinement = 2000;
  options.prior_weight = 0.3;
  const ImageCodes found = codes(both, same_answer(), images, options);
  const Tensor gram = matrix().t().mm(matrix()) + 0.3 * at::eye(3);
  const Tensor best = images.flatten(1).mm(matrix()).mm(at::linalg_inv(gram));
  EXPECT_LT(largest(found.codes - best), 1e-2);
  const Tensor errors = (both.decode(found.codes) - images).square().flatten(1).sum(1);
  EXPECT_TRUE(at::allclose(found.errors, errors, 1e-4, 1e-5));
  EXPECT_TRUE(found.kept.all().item<bool>());
}

/// Also with a rate so large that most iterates are worse, and a prior that would draw codes to 0.
TEST(Refinement, NeverRaisesAnError) {
  const Identity both(2);
  const Tensor images = normal_codes(20, 2).view({20, 1, 1, 2}) + 0.1;
  Generator generator = make_generator(1, "refine-test");
  for (const double prior_weight : {0.0, 50.0}) {
    CodeOptions options{.refinement = 12, .refinement_rate = 3, .prior_weight = prior_weight};
    const ImageCodes found = codes_of_images(both, both, same_answer(), images, options, generator);
    EXPECT_EQ(largest(found.errors), 0);  // the start was the image itself
    EXPECT_TRUE(at::equal(found.codes, images.flatten(1)));
  }
}

TEST(Refinement, LowersEveryErrorThatCanBeLowered) {
  const Linear both(matrix());
  const Tensor images = some_images(30);
  CodeOptions options;
  const ImageCodes before = codes(both, same_answer(), images, options);
  options.refinement = 100;
  const ImageCodes after = codes(both, same_answer(), images, options);
  EXPECT_TRUE(after.errors.lt(before.errors).all().item<bool>());
  EXPECT_EQ(largest(before.codes), 0);
  EXPECT_TRUE(at::equal(after.answers, before.answers));
  // An image's code does not depend on the images beside it.
  const ImageCodes alone = codes(both, same_answer(), images.narrow(0, 4, 1), options);
  EXPECT_LT(largest(alone.codes[0] - after.codes[4]), 1e-5);
}

/// The class of a code changes at 0.5, on the way from the start 0 to the best code: a start that keeps the classes stays on its side,
/// one that does not crosses over.
TEST(Refinement, KeepsTheClassesWherePossible) {
  const Linear both(at::eye(2));
  const OfCode classifier(2, [](const Tensor& z) {
    return at::stack({z.select(1, 0) - 0.5, 0.5 - z.select(1, 0)}, 1);
  });
  const Tensor images = at::tensor({0.4F, 0.F, 1.F, 0.F}).view({2, 1, 1, 2});
  CodeOptions options{.refinement = 300, .prior_weight = 0};
  const ImageCodes found = codes(both, classifier, images, options);
  EXPECT_TRUE(found.kept.all().item<bool>());
  EXPECT_LT(found.errors[0].item<double>(), 1e-4);
  EXPECT_LT(found.errors[1].item<double>(), 1e-4);
  // Reconstructions that are half as bright keep class 0 up to the code 1, while the least error lies at 2.
  const Linear half(0.5 * at::eye(2));
  const OfCode bright(2, [](const Tensor& z) {
    return at::stack({0.5 - z.select(1, 0), z.select(1, 0) - 0.5}, 1);
  });
  const Tensor start = at::zeros({1, 2}), image = at::tensor({1.F, 0.F}).view({1, 1, 1, 2});
  const Tensor answers = at::tensor({0, 1}, at::kLong).view({1, 2});
  const ChosenCodes kept =
      refine(half, bright, image, answers, {start, at::ones({1}, at::kBool), at::ones({1})}, options);
  EXPECT_TRUE(kept.kept.item<bool>());
  EXPECT_LE(kept.codes[0][0].item<double>(), 1);
  EXPECT_GT(kept.codes[0][0].item<double>(), 0.7);
}

/// A decoder without gradients.
class Deaf final : public models::Decoder {
 public:
  Tensor decode(const Tensor& z) const override { return z.detach().view({-1, 1, 1, 2}); }
  std::int64_t latents() const override { return 2; }
};

TEST(Refinement, ReachesMorphsAndNamesWhatIsMissing) {
  const Linear both(at::eye(2));
  const OfCode classifier(2, [](const Tensor& z) { return z; });
  const Tensor images = at::tensor({2.F, 0.F, 0.F, 2.F}).view({2, 1, 1, 2});
  const ImageModel model{both, both, {}};
  MorphOptions options;
  EXPECT_GT(largest(starts_of(model, classifier, images, options, 1).codes.errors), 3);
  options.refinement = 200;
  EXPECT_LT(largest(starts_of(model, classifier, images, options, 1).codes.errors), 0.1);
  Generator generator = make_generator(1, "refine-test");
  EXPECT_TRUE(contains(error_of([&] {
                         codes_of_images(Identity(2), Deaf(), classifier, images, {.refinement = 3},
                                         generator);
                       }),
                       "passes no gradients"));
  EXPECT_TRUE(contains(
      usage_error_of([&] { codes_of_images(both, both, classifier, images, {.refinement = -1}, generator); }),
      "iterations of the refinement is -1"));
}

}  // namespace
}  // namespace whence::counterfactual
