#include "whence/explain/text/words.h"

#include <gtest/gtest.h>

#include "explain/text/objective.h"
#include "unit/text/toy.h"

namespace whence::text {
namespace {

class WordBaselines : public ::testing::TestWithParam<models::TextArchitecture> {
 protected:
  WordBaselines()
      : classifier(
            models::as_text_classifier(whence::test::toy_classifier(whence::test::toy(), GetParam()))) {}
  const std::unique_ptr<models::TextClassifier> classifier;
  const at::Tensor numbers = at::tensor({2, 4, 7, 8, 3, 5, 0, 0}, at::kLong).view({2, 4});
  const at::Tensor target = at::tensor({1, 0}, at::kLong);
};

TEST_P(WordBaselines, IntegratedGradientsAddUpToTheDifferenceOfLogits) {
  const at::Tensor found = word_integrated_gradients(*classifier, numbers, target, 400);
  at::Tensor unknown = numbers.clone();
  unknown.masked_fill_(numbers.ne(0), data::Vocabulary::kUnknown);
  const at::Tensor difference =
      (classifier->logits(numbers) - classifier->logits(unknown)).gather(1, target.unsqueeze(1)).squeeze(1);
  EXPECT_TRUE(found.sum(1).allclose(difference, 0.02, 1e-4)) << found.sum(1) << difference;
  EXPECT_EQ(found[1].narrow(0, 2, 2).abs().sum().item<float>(), 0);
}

/// Without noise it is gradient times input; with noise the mean over the same draws, one by one.
TEST_P(WordBaselines, SmoothGradIsTheMeanGradientAtNoisyTexts) {
  const auto gradient_at = [&](const at::Tensor& vectors) {
    const at::Tensor point = vectors.detach().clone().requires_grad_(true);
    const at::Tensor score = classifier->logits_of(point, numbers).gather(1, target.unsqueeze(1)).sum();
    return torch::autograd::grad({score}, {point}).front();
  };
  const at::Tensor vectors = at::embedding(classifier->embedding(), numbers).detach();
  Generator generator = make_generator(5, "smooth");
  EXPECT_TRUE(
      word_smooth_gradients(*classifier, numbers, target, generator, 3, 0)
          .allclose((gradient_at(vectors) * vectors * numbers.ne(0).unsqueeze(2)).sum(2), 1e-4, 1e-6));
  Generator same = make_generator(6, "smooth"), again = make_generator(6, "smooth");
  const at::Tensor found = word_smooth_gradients(*classifier, numbers, target, same, 4, 0.1);
  at::Tensor mean = at::zeros_like(vectors);
  for (int i = 0; i < 4; ++i) {
    const at::Tensor drawn = at::randn(vectors.sizes(), again);
    at::Tensor point = vectors.clone();
    for (std::int64_t row = 0; row < 2; ++row) {
      at::Tensor own = vectors[row].clone();
      if (row == 1) own.narrow(0, 2, 2).zero_();  // behind the end
      point[row] += 0.1 * (own.max() - own.min()) * drawn[row];
    }
    mean += gradient_at(point) / 4;
  }
  EXPECT_TRUE(found.allclose((mean * vectors * numbers.ne(0).unsqueeze(2)).sum(2), 1e-4, 1e-6));
}

TEST_P(WordBaselines, OcclusionIsTheFallOfTheLogit) {
  const at::Tensor found = word_occlusion(*classifier, numbers, target);
  at::Tensor without = numbers.clone();
  without[0][1] = data::Vocabulary::kUnknown;
  const float fall = (classifier->logits(numbers)[0][1] - classifier->logits(without)[0][1]).item<float>();
  EXPECT_NEAR(found[0][1].item<float>(), fall, 1e-6);
  EXPECT_EQ(found[1].narrow(0, 2, 2).abs().sum().item<float>(), 0);
}

/// A word matters as the derivative of the margin when its vector grows; here by central differences.
TEST_P(WordBaselines, SparedWordsAreThoseWhoseVectorsDoNotMatter) {
  const at::Tensor texts = at::tensor({2, 4, 7, 8, 3, 5, 6, 9}, at::kLong).view({2, 4});
  const at::Tensor found = spared_words(*classifier, texts);
  const at::Tensor vectors = at::embedding(classifier->embedding(), texts);
  const auto margin = [&](const at::Tensor& x) {
    const at::Tensor logits = classifier->logits_of(x, texts).to(at::kDouble);
    return logits.amax(1) - logits.mean(1);
  };
  constexpr double step = 0.002;  // a maximum over the words has kinks
  std::vector<at::Tensor> slopes;
  for (std::int64_t t = 0; t < texts.size(1); ++t) {
    at::Tensor more = vectors.clone(), less = vectors.clone();
    more.select(1, t).mul_(1 + step);
    less.select(1, t).mul_(1 - step);
    slopes.push_back((margin(more) - margin(less)).abs() / (2 * step));
  }
  const at::Tensor influence = at::stack(slopes, 1);
  const at::Tensor expected = 1 - influence / influence.amax(1, true);
  EXPECT_TRUE(found.to(at::kDouble).allclose(expected, 0, 0.03)) << found << expected;
  EXPECT_EQ(found.amin(1).abs().sum().item<float>(), 0) << "the word that matters most";
}

INSTANTIATE_TEST_SUITE_P(Architectures, WordBaselines,
                         ::testing::Values(models::TextArchitecture::bigru,
                                           models::TextArchitecture::bilstm_convolutions));

}  // namespace
}  // namespace whence::text
