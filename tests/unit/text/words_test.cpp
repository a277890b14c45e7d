#include "whence/explain/text/words.h"

#include <gtest/gtest.h>

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

TEST_P(WordBaselines, OcclusionIsTheFallOfTheLogit) {
  const at::Tensor found = word_occlusion(*classifier, numbers, target);
  at::Tensor without = numbers.clone();
  without[0][1] = data::Vocabulary::kUnknown;
  const float fall = (classifier->logits(numbers)[0][1] - classifier->logits(without)[0][1]).item<float>();
  EXPECT_NEAR(found[0][1].item<float>(), fall, 1e-6);
  EXPECT_EQ(found[1].narrow(0, 2, 2).abs().sum().item<float>(), 0);
}

INSTANTIATE_TEST_SUITE_P(Architectures, WordBaselines,
                         ::testing::Values(models::TextArchitecture::bigru,
                                           models::TextArchitecture::bilstm_convolutions));

}  // namespace
}  // namespace whence::text
