#include "whence/models/text/classifier.h"

#include <gtest/gtest.h>

#include "models/text/sampled_softmax.h"
#include "support/errors.h"
#include "support/files.h"
#include "unit/text/toy.h"
#include "whence/models/text/language_model.h"

namespace whence::models {
namespace {

using whence::test::toy;

class TextClassifiers : public ::testing::TestWithParam<TextArchitecture> {};

TEST_P(TextClassifiers, AnswerToATextAlone) {
  const auto classifier = as_text_classifier(whence::test::toy_classifier(toy(), GetParam()));
  const at::Tensor numbers =
      at::tensor({2, 4, 7, 8, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 2, 4, 7, 10, 5, 6, 7}, at::kLong).view({3, 7});
  const at::Tensor together = classifier->logits(numbers);
  ASSERT_EQ(together.sizes(), (at::IntArrayRef{3, 2}));
  const std::vector<std::int64_t> lengths = {4, 1, 7};
  for (std::int64_t i = 0; i < 3; ++i) {
    const at::Tensor alone = numbers.narrow(0, i, 1).narrow(1, 0, lengths[static_cast<std::size_t>(i)]);
    EXPECT_TRUE(classifier->logits(alone)[0].allclose(together[i], 1e-5, 1e-6)) << i;
    const at::Tensor padded = at::constant_pad_nd(alone, {0, 6}, 0);
    EXPECT_TRUE(classifier->logits(padded)[0].allclose(together[i], 1e-5, 1e-6)) << i;
  }
}

TEST_P(TextClassifiers, TakeHardWordsAsRelaxedOnes) {
  const auto classifier = as_text_classifier(whence::test::toy_classifier(toy(), GetParam()));
  const at::Tensor numbers = toy().numbers;
  const at::Tensor relaxed = at::one_hot(numbers, toy().words.size()).to(at::kFloat);
  EXPECT_TRUE(classifier->logits(relaxed).allclose(classifier->logits(numbers), 1e-5, 1e-6));
}

TEST_P(TextClassifiers, LearnAndResumeBitForBit) {
  const whence::test::Toy data = toy();
  TextClassifierTraining options;
  options.epochs = 60;
  options.batch = 8;
  options.learning_rate = 0.02;
  options.dropout = 0.1;
  TextClassifierNetwork whole = whence::test::toy_classifier(data, GetParam());
  train_text_classifier(whole, data.phrases, data.words, options);

  const whence::test::TemporaryFolder folder;
  options.checkpoint = folder / "checkpoint.safetensors";
  TextClassifierNetwork first = whence::test::toy_classifier(data, GetParam());
  const auto stop = [](const Progress& progress) {
    if (progress.step == 17) throw Error("stopped", ExitCode::interrupted);
  };
  whence::test::error_of([&] { train_text_classifier(first, data.phrases, data.words, options, stop); },
                         ExitCode::interrupted);
  TextClassifierNetwork second = whence::test::toy_classifier(data, GetParam());
  train_text_classifier(second, data.phrases, data.words, options);
  for (const nn::NamedTensor& own : whole.parameters().state())
    EXPECT_TRUE(own.tensor.equal(second.parameters()[own.name])) << own.name;

  data::TextSet texts{{}, {"bad", "good"}};
  for (std::size_t i = 0; i < data.phrases.words.size(); ++i)
    texts.texts.push_back(
        {data.phrases.words[i], data.labels[static_cast<std::int64_t>(i)].item<std::int64_t>()});
  EXPECT_EQ(text_accuracy(*as_text_classifier(std::move(whole)), data.words, texts), 1);
}

/// Adam's first step moves each weight with a gradient by the learning rate. With next to no learning rate left after an epoch, more epochs change nothing.
TEST(TextClassifierTrainings, DecayTheLearningRateAfterEachEpoch) {
  const whence::test::Toy data = toy();
  const auto trained = [&](std::int64_t epochs, double decay) {
    TextClassifierNetwork network = whence::test::toy_classifier(data, TextArchitecture::bigru);
    TextClassifierTraining options;
    options.epochs = epochs;
    options.batch = 24;  // an epoch is one step: all texts have one length
    options.learning_rate = 0.01;
    options.schedule = ClassifierSchedule::decay;
    options.decay = decay;
    options.dropout = options.word_dropout = 0;
    train_text_classifier(network, data.phrases, data.words, options);
    return network.parameters()["output.weight"].detach().clone();
  };
  const at::Tensor before =
      whence::test::toy_classifier(data, TextArchitecture::bigru).parameters()["output.weight"].detach();
  const at::Tensor once = trained(1, 0.85);
  EXPECT_TRUE((once - before).abs().allclose(at::full_like(once, 0.01), 1e-3, 1e-6));
  EXPECT_TRUE(trained(5, 1e-9).allclose(once, 0, 1e-8));
  EXPECT_FALSE(trained(5, 0.85).allclose(once, 0, 1e-3));
  // The second step is the same gradient's with 0.85 or 0.5 of the rate.
  const at::Tensor slow = trained(2, 0.5) - once, fast = trained(2, 0.85) - once;
  EXPECT_TRUE((slow * (0.85 / 0.5)).allclose(fast, 1e-3, 1e-7));
}

INSTANTIATE_TEST_SUITE_P(Architectures, TextClassifiers,
                         ::testing::Values(TextArchitecture::bigru, TextArchitecture::bilstm_convolutions));

TEST(SampledSoftmax, IsExactWithAllWordsAndUnbiasedWithSome) {
  Generator generator = make_generator(5, "softmax");
  const at::Tensor queries = at::randn({2, 3, 4}, generator), embedding = at::randn({12, 4}, generator),
                   bias = at::randn({12}, generator);
  const at::Tensor targets = at::tensor({1, 4, 4, 0, 7, 1}, at::kLong).view({2, 3});
  const at::Tensor logits = at::linear(queries, embedding, bias);
  const at::Tensor expected = -at::log_softmax(logits, 2).gather(2, targets.unsqueeze(2)).squeeze(2);
  EXPECT_TRUE(sampled_losses(queries, targets, embedding, bias, draw_candidates(targets, 12, 100, generator))
                  .allclose(expected, 1e-4, 1e-5));
  // exp(-loss) is p(target) with the sum estimated: its inverse has the right mean.
  at::Tensor inverse = at::zeros({2, 3});
  constexpr int draws = 4000;
  for (int i = 0; i < draws; ++i)
    inverse +=
        sampled_losses(queries, targets, embedding, bias, draw_candidates(targets, 12, 3, generator)).exp() /
        draws;
  EXPECT_TRUE(inverse.allclose(expected.exp(), 0.05, 0)) << inverse << expected.exp();
}

TEST(LanguageModels, LearnTheToyLanguage) {
  const whence::test::Toy data = toy();
  Generator generator = make_generator(6, "language");
  LanguageModel model({.words = data.words.size(), .embedding = 8, .hidden = 16}, generator);
  LanguageModelTraining options;
  options.epochs = 80;
  options.batch = 8;
  options.learning_rate = 0.02;
  options.dropout = 0;
  train_language_model(model, data.numbers, options);
  // 2 articles, 3 nouns, 1 verb, 4 adjectives and the end: at best the fifth root of 24.
  EXPECT_NEAR(perplexity(model, data.numbers), std::pow(24, 0.2), 0.05);
  // The probabilities of all texts of one word and its end sum up to at most 1.
  const at::Tensor words = at::arange(1, data.words.size(), at::kLong).unsqueeze(1);
  EXPECT_LT(negative_log_likelihood(model, words).neg().exp().sum().item<float>(), 1);
  // Padding does not count.
  EXPECT_NEAR(perplexity(model, at::constant_pad_nd(data.numbers, {0, 3}, 0)),
              perplexity(model, data.numbers), 1e-4);
}

}  // namespace
}  // namespace whence::models
