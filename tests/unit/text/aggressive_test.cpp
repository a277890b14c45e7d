// Aggressive training of the encoder: what it moves, when it ends, and the mutual information that ends it.
#include "explain/text/aggressive.h"

#include <gtest/gtest.h>

#include <numbers>

#include "support/errors.h"
#include "support/files.h"
#include "unit/text/toy.h"

namespace whence::text {
namespace {

using whence::test::Toy;
using whence::test::toy;
using whence::test::toy_vae;

models::Posterior posterior_of(const std::vector<double>& means, double deviation) {
  const at::Tensor mean = at::tensor(means, at::TensorOptions(at::kCPU).dtype(at::kDouble)).view({-1, 1});
  return {mean, at::full_like(mean, 2 * std::log(deviation))};
}

double information_of(const models::Posterior& posterior) {
  Generator generator = make_generator(1, "information");
  return code_information(posterior, generator);
}

TEST(CodeInformation, IsNothingWhereAllPosteriorsAreTheSameAndLogNWhereTheyAreApart) {
  EXPECT_NEAR(information_of(posterior_of({0.3, 0.3, 0.3}, 1)), 0, 1e-12);
  EXPECT_NEAR(information_of(posterior_of({0, 100, 200, 300, 400}, 1)), std::log(5), 1e-9);
}

/// Half of the texts at -a, half at a: I = h(mixture) - h(N(0, 1)), by the trapezoidal rule.
TEST(CodeInformation, AgreesWithQuadrature) {
  constexpr double a = 0.8, step = 1e-3;
  constexpr int count = 1000;
  double entropy = 0;
  for (double z = -9; z < 9; z += step) {
    const auto normal = [&](double mean) {
      return std::exp(-0.5 * (z - mean) * (z - mean)) / std::sqrt(2 * std::numbers::pi);
    };
    const double q = 0.5 * (normal(-a) + normal(a));
    entropy -= step * q * std::log(q);
  }
  const double expected = entropy - 0.5 * std::log(2 * std::numbers::pi * std::numbers::e);
  std::vector<double> means;
  for (int i = 0; i < count; ++i) means.push_back(i % 2 == 0 ? -a : a);
  // The spread of log q(z|x) - log q(z) is below 1.
  EXPECT_NEAR(information_of(posterior_of(means, 1)), expected, 4 / std::sqrt(count));
  EXPECT_GT(expected, 0.2);
}

/// A network with its objective, whose encoder can be trained alone. All texts have one length, so an epoch of `batch` 24 is one batch.
struct Bench {
  explicit Bench(AggressiveEncoder aggressive, models::VaeArchitecture architecture)
      : vae(toy_vae(data, 3, architecture)), classifier(as_text_classifier(toy_classifier())) {
    options.batch = 24;
    options.sampled_words = 100;
    options.word_dropout = options.encoder_dropout = 0;
    options.aggressive = aggressive;
    corpus = {data.numbers, models::text_probabilities(*classifier, data.numbers)};
    objective.emplace(vae, *classifier, data.words.translation_from(data.words), corpus.answers.mean(0, true),
                      options, 0);
    optimizer.emplace(vae.encoder_parameters(), nn::Adam{});
  }
  models::TextClassifierNetwork toy_classifier() const {
    return whence::test::toy_classifier(data, models::TextArchitecture::bigru);
  }
  EncoderFirst encoder_first() { return {vae, *objective, *optimizer, corpus, options}; }
  double loss() const {
    Generator generator = make_generator(5, "judge");
    Objective::Batch batch = objective->prepare(corpus.numbers, corpus.answers, generator);
    return objective->texts(batch, 1, generator).loss.item<double>();
  }

  Toy data = toy();
  models::SentenceVae vae;
  std::unique_ptr<models::TextClassifier> classifier;
  Training options;
  Corpus corpus;
  std::optional<Objective> objective;
  std::optional<nn::Optimizer> optimizer;
};

nn::NamedTensors copied(const nn::Parameters& parameters) {
  nn::NamedTensors copy;
  for (const nn::NamedTensor& own : parameters.state())
    copy.push_back({own.name, own.tensor.detach().clone()});
  return copy;
}

class EncodersFirst : public ::testing::TestWithParam<models::VaeArchitecture> {};

TEST_P(EncodersFirst, MoveTheEncoderAlone) {
  Bench bench({.iterations = 12, .window = 100}, GetParam());
  const nn::NamedTensors encoder = copied(bench.vae.encoder_parameters()),
                         rest = copied(bench.vae.other_parameters());
  EXPECT_EQ(encoder.size() + rest.size(), bench.vae.parameters().state().size());
  const double before = bench.loss();
  const at::AutoGradMode gradients(true);
  EXPECT_EQ(bench.encoder_first().converge(0, 1, 0.01, 5), 12) << "no window is full: as many as allowed";
  EXPECT_LT(bench.loss(), before);
  for (const nn::NamedTensor& own : encoder)
    EXPECT_FALSE(own.tensor.equal(bench.vae.parameters()[own.name])) << own.name;
  for (const nn::NamedTensor& own : rest)
    EXPECT_TRUE(own.tensor.equal(bench.vae.parameters()[own.name])) << own.name;
}

/// Uphill, the second window is worse than the first.
TEST_P(EncodersFirst, EndWhereTheLossFallsNoMore) {
  const at::AutoGradMode gradients(true);
  Bench uphill({.iterations = 250, .window = 15}, GetParam());
  EXPECT_EQ(uphill.encoder_first().converge(0, 1, -0.01, 5), 30);
  Bench downhill({.iterations = 250, .window = 15}, GetParam());
  const std::int64_t steps = downhill.encoder_first().converge(0, 1, 0.002, 5);
  EXPECT_GT(steps, 30);
  EXPECT_EQ(steps % 15 == 0 || steps == 250, true) << steps;
}

INSTANTIATE_TEST_SUITE_P(Architectures, EncodersFirst,
                         ::testing::Values(models::VaeArchitecture::guided,
                                           models::VaeArchitecture::published));

/// Nothing is trained between the checks, so the second one finds no more than the first.
TEST(EncoderFirst, EndsForGoodWhenTheInformationRisesNoMore) {
  Bench bench({.iterations = 1, .window = 1, .check_every = 3}, models::VaeArchitecture::guided);
  EncoderFirst first = bench.encoder_first();
  for (std::int64_t index = 0; index < 6; ++index) EXPECT_TRUE(first.is_on(index)) << index;
  EXPECT_GT(first.information(), 0);
  EXPECT_LE(first.information(), std::log(24));
  EXPECT_FALSE(first.is_on(6));
  EXPECT_FALSE(first.is_on(7));
}

void train_on(Bench& bench, models::SentenceVae& vae, const Training& training,
              const ProgressCallback& progress = {}) {
  train(vae, *bench.classifier, bench.data.words.translation_from(bench.data.words), bench.corpus, training,
        progress);
}

Training short_training() {
  Training training;
  training.steps = 20;
  training.batch = 8;
  training.sampled_words = 100;
  training.learning_rate = 0.01;
  training.sure = 0;
  training.decoding = {.candidates = 6, .noise = 0.3, .longest = 5};
  training.aggressive = {.iterations = 6, .window = 2, .check_every = 3};
  return training;
}

class AggressiveTrainings : public ::testing::TestWithParam<std::int64_t> {};

/// Interrupted while the encoder goes first, between two checks, and later.
TEST_P(AggressiveTrainings, ResumeBitForBit) {
  Bench bench({}, models::VaeArchitecture::published);
  const Training training = short_training();
  models::SentenceVae whole = toy_vae(bench.data, 3, models::VaeArchitecture::published),
                      first = toy_vae(bench.data, 3, models::VaeArchitecture::published),
                      second = toy_vae(bench.data, 3, models::VaeArchitecture::published);
  train_on(bench, whole, training);
  const whence::test::TemporaryFolder folder;
  Training parts = training;
  parts.checkpoint = folder / "checkpoint.safetensors";
  whence::test::error_of(
      [&] {
        train_on(bench, first, parts, [](const Progress& progress) {
          if (progress.step == GetParam()) throw Error("stopped", ExitCode::interrupted);
        });
      },
      ExitCode::interrupted);
  train_on(bench, second, parts);
  for (const nn::NamedTensor& own : whole.parameters().state())
    EXPECT_TRUE(own.tensor.equal(second.parameters()[own.name])) << own.name;
}
INSTANTIATE_TEST_SUITE_P(Steps, AggressiveTrainings, ::testing::Values(2, 4, 14));

TEST(AggressiveTraining, TellsStepsAndInformationAndIsNotTheUsualTraining) {
  Bench bench({}, models::VaeArchitecture::guided);
  models::SentenceVae usual = toy_vae(bench.data), aggressive = toy_vae(bench.data);
  Training training = short_training();
  double most = 0, last = -1;
  train_on(bench, aggressive, training, [&](const Progress& progress) {
    for (const auto& [name, value] : progress.values) {
      if (name == "I(x; z)") most = std::max(most, value);
      if (name == "encoder steps") last = value;
    }
  });
  EXPECT_GT(most, 0);
  EXPECT_GT(last, 0);
  training.aggressive = {};
  train_on(bench, usual, training, [](const Progress& progress) {
    for (const auto& [name, value] : progress.values) EXPECT_NE(name, "encoder steps");
  });
  EXPECT_FALSE(usual.embedding().equal(aggressive.embedding()));
}

}  // namespace
}  // namespace whence::text
