#include "whence/explain/text/fluency.h"

#include <gtest/gtest.h>

#include "explain/text/objective.h"
#include "unit/text/toy.h"

namespace whence::text {
namespace {

using whence::test::Toy;
using whence::test::toy;
using whence::test::toy_vae;

class Fluency : public ::testing::Test {
 protected:
  models::LanguageModel untrained(std::uint64_t seed) const {
    Generator generator = make_generator(seed, "fluency");
    models::LanguageModel made({.words = data.words.size(), .embedding = 8, .hidden = 16}, generator);
    const at::NoGradGuard no_gradients;
    for (const nn::NamedTensor& own : made.parameters().state())
      own.tensor.mul_(4);  // words differ in their probability
    return made;
  }
  RelaxedTexts decoded(std::int64_t longest) const {
    Generator generator = make_generator(8, "codes");
    const at::Tensor z = 3 * at::randn({12, 4}, generator);
    return decode_relaxed(vae, z, {.candidates = 5, .noise = 0.3, .longest = longest}, generator);
  }
  at::Tensor logits(const at::Tensor& numbers) const {
    return at::linear(model.queries(numbers), model.embedding(), model.bias());
  }
  /// The terms of a step that only asks for fluency.
  StepTerms rollouts(double weight, double typical) const {
    Training training;
    training.sampled_words = 100;
    training.lambda = 0;
    training.cycle_weight = 0;
    training.rollouts = 8;
    training.fluency_weight = weight;
    training.language = &model;
    training.decoding = {.candidates = 5, .noise = 0.3, .longest = 6};
    const auto classifier =
        models::as_text_classifier(whence::test::toy_classifier(data, models::TextArchitecture::bigru));
    const at::Tensor answers = models::text_probabilities(*classifier, data.numbers);
    const Objective objective(vae, *classifier, data.words.translation_from(data.words),
                              answers.mean(0, true), training, typical);
    Generator generator = make_generator(9, "step");
    Objective::Batch batch = objective.prepare(data.numbers, answers, generator);
    objective.texts(batch, 0.1, generator);
    return objective.rollouts(batch, generator);
  }

  const Toy data = toy();
  const models::SentenceVae vae = toy_vae(data);
  const models::LanguageModel model = untrained(5);
};

/// Text for text, place for place, up to the end.
TEST_F(Fluency, IsTheLikelihoodOfTheHardWords) {
  const RelaxedTexts texts = decoded(6);
  const at::Tensor found = nats_per_word(model, texts);
  std::int64_t ended = 0, open = 0;
  for (std::int64_t row = 0; row < texts.numbers.size(0); ++row) {
    const std::int64_t length = texts.lengths[row].item<std::int64_t>();
    const bool ends = length < texts.numbers.size(1);
    (ends ? ended : open) += 1;
    const at::Tensor own = texts.numbers.narrow(0, row, 1).narrow(1, 0, length);
    const at::Tensor p = at::log_softmax(logits(own), 2)[0];
    double nats = 0;
    for (std::int64_t t = 0; t < length; ++t) nats -= p[t][own[0][t].item<std::int64_t>()].item<double>();
    if (ends) nats -= p[length][data::Vocabulary::kEnd].item<double>();
    EXPECT_NEAR(found[row].item<double>(), nats / static_cast<double>(length + (ends ? 1 : 0)), 1e-4) << row;
  }
  EXPECT_GT(ended, 0);
  EXPECT_GT(open, 0);
  const at::Tensor p = at::log_softmax(logits(data.numbers), 2);
  const at::Tensor of_real = -p.gather(2, models::with_end(data.numbers).unsqueeze(2)).squeeze(2).mean(1);
  EXPECT_TRUE(
      nats_per_word(model, at::constant_pad_nd(data.numbers, {0, 2}, 0)).allclose(of_real, 1e-4, 1e-5));
}

/// Texts "2 3 2 3 2 3" and "4 5 4 6", whose second words could also be others.
TEST(RepeatedPairs, AreCountedAndReachTheSharesOfTheWordsThatMakeThem) {
  const at::Tensor numbers = at::tensor({2, 3, 2, 3, 2, 3, 4, 5, 4, 6, 0, 0}, at::kLong).view({2, 6});
  const at::Tensor others = at::tensor({7, 7, 7, 7, 7, 7, 7, 7, 7, 5, 5, 5}, at::kLong).view({2, 6});
  at::Tensor shares = at::zeros({2, 6, 2});
  shares.select(2, 0).fill_(1);
  shares.requires_grad_(true);
  const at::Tensor found =
      repeated_pairs({at::stack({numbers, others}, 2), shares, numbers, at::tensor({6, 4}, at::kLong)});
  EXPECT_EQ(found[0].item<float>(), 3);  // 2 3, 3 2 and 2 3 again
  EXPECT_EQ(found[1].item<float>(), 0);
  at::Tensor expected = at::zeros({2, 6, 2});
  for (const std::int64_t place : {3, 4, 5}) expected[0][place][0] = 1;
  expected[1][3][1] = 1;  // "4 5" again
  EXPECT_TRUE(torch::autograd::grad({found.sum()}, {shares}).front().equal(expected));
}

/// Of texts of one word, the gradient of the softmax over its candidates.
TEST_F(Fluency, HasTheGradientOfTheCandidates) {
  const RelaxedTexts texts = decoded(1);
  const at::Tensor found =
      torch::autograd::grad({nats_per_word(model, texts).sum()}, {texts.shares}, {}, true).front();
  const at::Tensor nothing = at::zeros({1, 0}, at::kLong);
  const at::Tensor p = at::log_softmax(logits(nothing), 2)[0][0];
  EXPECT_TRUE(found.allclose(-p.index_select(0, texts.candidates.flatten()).view_as(found), 1e-4, 1e-5));
  const at::Tensor bias = vae.bias();
  const at::Tensor gradient = torch::autograd::grad({nats_per_word(model, texts).sum()}, {bias}).front();
  EXPECT_GT(gradient.abs().max().item<float>(), 1e-2);
}

TEST_F(Fluency, LowersOnlyWhatIsLessLikelyThanRealTexts) {
  const double nats = rollouts(1, 0).readings.back().second.item<double>();
  ASSERT_GT(nats, 0.1);
  EXPECT_NEAR(rollouts(3, 0).loss.item<double>(), 3 * nats, 1e-4);
  const std::vector<at::Tensor> decoder = {vae.embedding(), vae.bias()};
  const auto largest_gradient = [&](double typical) {
    double largest = 0;
    for (const at::Tensor& gradient :
         torch::autograd::grad({rollouts(3, typical).loss}, decoder, {}, false, false, true))
      if (gradient.defined()) largest = std::max(largest, gradient.abs().max().item<double>());
    return largest;
  };
  EXPECT_GT(largest_gradient(0), 1e-2);
  // Some texts are above the mean, and some below.
  EXPECT_GT(rollouts(3, nats).loss.item<double>(), 0);
  EXPECT_LT(rollouts(3, nats).loss.item<double>(), 3 * nats);
  EXPECT_GT(largest_gradient(nats), 1e-2);
  EXPECT_EQ(rollouts(3, 50 * nats).loss.item<double>(), 0);
  EXPECT_EQ(largest_gradient(50 * nats), 0);
}

}  // namespace
}  // namespace whence::text
