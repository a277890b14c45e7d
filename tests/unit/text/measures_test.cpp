#include "whence/explain/text/measures.h"

#include <gtest/gtest.h>

namespace whence::text {
namespace {

at::Tensor texts(const std::vector<std::int64_t>& numbers, std::int64_t rows) {
  return at::tensor(numbers, at::kLong).view({rows, -1});
}

TEST(TextMeasures, CountCommonWordsAsBags) {
  EXPECT_DOUBLE_EQ(words_kept(Numbers{2, 3, 3}, Numbers{3, 3, 4}), 2 * 2 / 6.0);
  EXPECT_DOUBLE_EQ(words_kept(Numbers{2}, Numbers{3}), 0);
  EXPECT_DOUBLE_EQ(words_kept(Numbers{}, Numbers{}), 1);
  const at::Tensor each = words_kept(texts({2, 3, 0, 4, 5, 6}, 2), texts({3, 0, 0, 6, 5, 4}, 2));
  EXPECT_TRUE(each.allclose(at::tensor({2.0 / 3, 1.0}, at::kDouble)));
}

TEST(TextMeasures, FindRepeatsCopiesAndVariety) {
  EXPECT_TRUE(repeats({2, 2}));
  EXPECT_TRUE(repeats({2, 3, 4, 2, 3}));
  EXPECT_FALSE(repeats({2, 3, 2, 4}));
  const at::Tensor three = texts({2, 3, 4, 2, 2, 0, 5, 0, 0}, 3);
  EXPECT_DOUBLE_EQ(repeat_share(three), 1 / 3.0);
  EXPECT_DOUBLE_EQ(copy_share(three, {{5}, {2, 3}}), 1 / 3.0);
  EXPECT_DOUBLE_EQ(distinct_pairs(texts({2, 3, 4, 2, 3, 0}, 2)), 2 / 3.0);
  EXPECT_DOUBLE_EQ(distinct_pairs(texts({2, 0}, 1)), 0);
}

/// Manning, Raghavan and Schuetze 2008, example 13.1: "Chinese Chinese Chinese Tokyo Japan" is about China.
TEST(NaiveBayesJudge, GivesTheAnswerOfTheTextbook) {
  // chinese 2, beijing 3, shanghai 4, macao 5, tokyo 6, japan 7; the unknown word 1 is a seventh.
  const at::Tensor train = texts({2, 3, 2, 2, 2, 4, 2, 5, 0, 6, 7, 2}, 4),
                   labels = at::tensor({1, 1, 1, 0}, at::kLong);
  const NaiveBayes judge(train, labels, 8, 2);
  EXPECT_EQ(judge.classify(texts({2, 2, 2, 6, 7}, 1)).item<std::int64_t>(), 1);
  EXPECT_EQ(judge.classify(texts({6, 7, 0, 2, 2}, 1)).item<std::int64_t>(),
            0);  // behind the end nothing counts
}

}  // namespace
}  // namespace whence::text
