#include "whence/explain/text/train.h"

#include <gtest/gtest.h>

#include "support/errors.h"
#include "support/files.h"
#include "unit/text/toy.h"
#include "whence/explain/flow/information_flow.h"
#include "whence/explain/text/counterfactual.h"

namespace whence::text {
namespace {

using whence::test::Toy;
using whence::test::toy;
using whence::test::toy_vae;

std::unique_ptr<models::TextClassifier> trained_classifier(const Toy& data) {
  models::TextClassifierNetwork network = whence::test::toy_classifier(data, models::TextArchitecture::bigru);
  models::TextClassifierTraining options;
  options.epochs = 60;
  options.batch = 8;
  options.learning_rate = 0.02;
  train_text_classifier(network, data.phrases, data.words, options);
  return models::as_text_classifier(std::move(network));
}

Training short_training(std::int64_t steps) {
  Training training;
  training.steps = steps;
  training.batch = 12;
  training.sampled_words = 100;
  training.learning_rate = 0.01;
  training.decoding = {.candidates = 6, .noise = 0.3, .longest = 5};
  return training;
}

nn::LoopSummary train_on(models::SentenceVae& vae, const Toy& data, const models::TextClassifier& classifier,
                         const Training& training, const ProgressCallback& progress = {}) {
  const at::Tensor same = data.words.translation_from(data.words);
  return train(vae, classifier, same, {data.numbers, models::text_probabilities(classifier, data.numbers)},
               training, progress);
}

TEST(TextTraining, FindsTheCauseOfAToyLanguage) {
  const Toy data = toy();
  const auto classifier = trained_classifier(data);
  models::SentenceVae vae = toy_vae(data);
  train_on(vae, data, *classifier, short_training(500));
  const auto decoder = as_decoder(vae, data.words.translation_from(data.words), 5);
  flow::FlowOptions options;
  options.outer = 60;
  options.inner = 30;
  const flow::FlowReport report = flow::measure_flow(*decoder, *classifier, 1, options, 1);
  EXPECT_GT(report.alpha.nats, 0.5);
  EXPECT_LT(report.beta.nats, 0.05);
}

/// I(alpha; Y) of decoded texts, with one alpha and one beta: the plane of codes cut into small squares.
TEST(TextFlow, AgreesWithExhaustiveEnumeration) {
  const whence::test::Toy data = toy();
  models::SentenceVae vae = toy_vae(data, 1);
  const auto classifier = trained_classifier(data);
  train_on(vae, data, *classifier, short_training(150));
  const auto decoder = as_decoder(vae, data.words.translation_from(data.words), 5);
  constexpr std::int64_t cells = 300;
  const at::Tensor middles = (at::arange(cells, at::kDouble) + 0.5) / cells;
  const at::Tensor quantiles = (std::sqrt(2.0) * at::erfinv(2 * middles - 1)).to(at::kFloat);
  const at::Tensor plane = at::stack({quantiles.repeat_interleave(cells), quantiles.repeat({cells})}, 1);
  const at::Tensor p =
      models::text_probabilities(*classifier, decoder->decode(plane)).to(at::kDouble).view({cells, cells, 2});
  const auto entropy = [](const at::Tensor& q) { return -(q * q.clamp_min(1e-30).log()).sum(-1); };
  const double expected = (entropy(p.flatten(0, 1).mean(0)) - entropy(p.mean(1)).mean()).item<double>();
  EXPECT_GT(expected, 0.1);
  flow::FlowOptions options;
  options.outer = 200;
  options.inner = 100;
  const flow::FlowReport found = flow::measure_flow(*decoder, *classifier, 1, options, /*seed=*/9);
  EXPECT_NEAR(found.alpha.nats, expected, 4 * found.alpha.se + 0.02 * expected);
}

TEST(TextCounterfactuals, AreTheNearestTextWithAnotherAnswer) {
  const Toy data = toy();
  const auto classifier = trained_classifier(data);
  models::SentenceVae vae = toy_vae(data);
  train_on(vae, data, *classifier, short_training(300));
  const at::NoGradGuard no_gradients;
  const auto answers = [&](const at::Tensor& texts) {
    return models::text_probabilities(*classifier, texts);
  };
  const auto answer_at = [&](const at::Tensor& code, double alpha) {
    at::Tensor moved = code.clone();
    moved.select(1, 0).fill_(alpha);
    return answers(decode_greedily(vae, moved, 5)).argmax(1).item<std::int64_t>();
  };
  const at::Tensor code = vae.encode(at::embedding(vae.embedding(), data.numbers.narrow(0, 0, 1))).mean;
  const auto change = nearest_change(vae, code, 5, answers, {.step = 0.1});
  ASSERT_TRUE(change.has_value());
  ASSERT_EQ(change->alpha.size(), 1u);
  const double own = code[0][0].item<double>(), distance = std::abs(change->alpha[0] - own);
  EXPECT_NEAR(change->distance, distance, 1e-6);
  const std::int64_t answer = answer_at(code, own);
  EXPECT_NE(answer_at(code, change->alpha[0]), answer);
  EXPECT_EQ(change->answer.argmax().item<std::int64_t>(), answer_at(code, change->alpha[0]));
  for (double nearer = 0; nearer < distance - 0.05; nearer += 0.1)
    for (const double alpha : {own - nearer, own + nearer})
      EXPECT_EQ(answer_at(code, alpha), answer) << alpha;
  EXPECT_FALSE(nearest_change(vae, code, 5, answers, {.radius = 0, .step = 0.1}).has_value());
  // The other class by its number is the same; the own one is where the text is already.
  EXPECT_EQ(nearest_change(vae, code, 5, answers, {.to = 1 - answer, .step = 0.1})->alpha, change->alpha);
  EXPECT_EQ(nearest_change(vae, code, 5, answers, {.to = answer, .step = 0.1})->distance, 0);
  const auto sure = nearest_change(vae, code, 5, answers, {.probability = 0.9, .step = 0.1});
  ASSERT_TRUE(sure.has_value());
  EXPECT_GE(sure->answer.max().item<double>(), 0.9);
  EXPECT_GE(sure->distance, change->distance);
  for (const ChangeSearch& wrong : {ChangeSearch{.probability = 1}, ChangeSearch{.radius = -1},
                                    ChangeSearch{.step = 0}, ChangeSearch{.rays = -1}})
    whence::test::usage_error_of([&] { nearest_change(vae, code, 5, answers, wrong); });
}

class TextTrainings : public ::testing::TestWithParam<models::VaeArchitecture> {};

TEST_P(TextTrainings, ResumeBitForBit) {
  const Toy data = toy();
  const auto classifier = trained_classifier(data);
  const Training training = short_training(20);
  models::SentenceVae whole = toy_vae(data, 3, GetParam());
  train_on(whole, data, *classifier, training);
  const whence::test::TemporaryFolder folder;
  Training parts = training;
  parts.checkpoint = folder / "checkpoint.safetensors";
  models::SentenceVae first = toy_vae(data, 3, GetParam()), second = toy_vae(data, 3, GetParam());
  whence::test::error_of(
      [&] {
        train_on(first, data, *classifier, parts, [](const Progress& progress) {
          if (progress.step == 14) throw Error("stopped", ExitCode::interrupted);
        });
      },
      ExitCode::interrupted);
  train_on(second, data, *classifier, parts);
  for (const nn::NamedTensor& own : whole.parameters().state())
    EXPECT_TRUE(own.tensor.equal(second.parameters()[own.name])) << own.name;
}

/// Without the weight the model changes nothing, not even a draw.
TEST(TextTraining, AsksTheLanguageModelOnlyWithAWeight) {
  const Toy data = toy();
  const auto classifier = trained_classifier(data);
  Generator generator = make_generator(6, "language");
  const models::LanguageModel language({.words = data.words.size(), .embedding = 8, .hidden = 16}, generator);
  const auto trained = [&](double weight, const models::LanguageModel* model) {
    Training training = short_training(20);
    training.fluency_weight = weight;
    training.language = model;
    models::SentenceVae vae = toy_vae(data);
    train_on(vae, data, *classifier, training);
    return vae.embedding().detach();
  };
  const at::Tensor without = trained(0, nullptr);
  EXPECT_TRUE(without.equal(trained(0, &language)));
  EXPECT_FALSE(without.equal(trained(20, &language)));
  whence::test::expect_error([&] { trained(20, nullptr); }, {"needs a language model"});
}

INSTANTIATE_TEST_SUITE_P(Architectures, TextTrainings,
                         ::testing::Values(models::VaeArchitecture::guided,
                                           models::VaeArchitecture::published));

TEST(TextTraining, NeedsTextsOfWhichTheClassifierIsSure) {
  const Toy data = toy();
  const auto classifier =
      models::as_text_classifier(whence::test::toy_classifier(data, models::TextArchitecture::bigru));
  models::SentenceVae vae = toy_vae(data);
  whence::test::expect_error([&] { train_on(vae, data, *classifier, short_training(4)); },
                             {"sure of no text"});
}

}  // namespace
}  // namespace whence::text
