#include "whence/models/train/gan.h"

#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include <set>

#include "models/train/spectral_norm.h"
#include "support/errors.h"
#include "support/files.h"
#include "support/meta.h"
#include "support/threads.h"
#include "whence/core/random.h"
#include "whence/models/zoo/zoo.h"

namespace whence::models {
namespace {

/// Images of one brightness each, near 0.2 or near 0.8.
data::Dataset two_levels(std::int64_t count) {
  Generator generator = make_generator(7, "gan-test");
  const at::Tensor level = 0.2 + 0.6 * at::randint(0, 2, {count, 1, 1, 1}, generator, at::kFloat) +
                           0.03 * at::randn({count, 1, 1, 1}, generator);
  return {
      (level.expand({count, 1, 8, 8}) * 255).round().to(at::kByte), at::zeros({count}, at::kLong), {"only"}};
}

struct Pair {
  nn::Network generator, discriminator;
};

Pair fresh_pair(bool batch_norm = true) {
  return {upsampling_decoder({.image = {1, 8, 8}, .latents = 2, .width = 4}),
          dcgan_discriminator({.image = {1, 8, 8}, .width = 8, .batch_norm = batch_norm})};
}

GanTraining short_gan() {
  GanTraining options;
  options.steps = 12;
  options.batch = 16;
  options.candidate_steps = 4;
  options.average = 0.5;
  options.seed = 5;
  return options;
}

/// A function of the weights alone.
double some_distance(const nn::Network& network) {
  return network.parameters().front().tensor.detach().to(at::kDouble).square().sum().item<double>();
}

Pair train(const GanTraining& options, const GeneratorDistance& distance = some_distance,
           const ProgressCallback& progress = {}, GanSummary* summary = nullptr) {
  Pair pair = fresh_pair(!options.spectral_norm);
  const GanSummary own =
      train_gan(pair.generator, pair.discriminator, two_levels(64), options, distance, progress);
  if (summary != nullptr) *summary = own;
  return pair;
}

void expect_the_same_weights(const nn::Network& a, const nn::Network& b) {
  const nn::NamedTensors one = a.state(), other = b.state();
  for (std::size_t i = 0; i < one.size(); ++i)
    EXPECT_TRUE(at::equal(one[i].tensor, other[i].tensor)) << one[i].name;
}

class GanResumption : public ::testing::TestWithParam<bool> {};

/// Before, at and after a candidate; also the singular vectors and the choice go on.
TEST_P(GanResumption, EndsWithTheBitsOfUninterruptedTraining) {
  const test::TemporaryFolder folder;
  GanTraining options = short_gan();
  options.spectral_norm = GetParam();
  options.loss = GetParam() ? GanLoss::hinge : GanLoss::original;
  options.augmentation = {.colour = true, .translation = true, .cutout = true};
  GanSummary expected, found;
  const Pair whole = train(options, some_distance, {}, &expected);
  for (const std::int64_t last : {3, 4, 9}) {
    options.checkpoint = folder / fmt::format("{}.safetensors", last);
    std::int64_t seen = 0;
    const ProgressCallback stop = [&](const Progress& now) {
      ++seen;
      if (now.step == last) throw Error("interrupted", ExitCode::interrupted);
    };
    EXPECT_THROW(train(options, some_distance, stop), Error);
    const Pair parts = train(
        options, some_distance, [&](const Progress&) { ++seen; }, &found);
    EXPECT_EQ(seen, 12);
    expect_the_same_weights(parts.generator, whole.generator);
    EXPECT_EQ(found.distance, expected.distance);
    EXPECT_EQ(found.chosen_step, expected.chosen_step);
  }
}
INSTANTIATE_TEST_SUITE_P(With, GanResumption, ::testing::Bool(), [](const auto& each) {
  return each.param ? "SpectralNormAndHinge" : "BatchNormAndOriginal";
});

TEST(GanTraining, KeepsTheCandidateWithTheLeastDistance) {
  const std::vector<double> distances = {3, 1, 2};
  std::size_t calls = 0;
  std::vector<nn::Network> candidates;
  GanSummary summary;
  std::vector<double> told;
  const Pair pair = train(
      short_gan(),
      [&](const nn::Network& candidate) {
        candidates.push_back(candidate.clone());
        return distances[calls++];
      },
      [&](const Progress& now) {
        if (now.values.back().first == "distance") told.push_back(now.values.back().second);
      },
      &summary);
  ASSERT_EQ(calls, 3u);
  EXPECT_EQ(summary.chosen_step, 8);
  EXPECT_EQ(summary.distance, 1);
  expect_the_same_weights(pair.generator, candidates[1]);
  EXPECT_EQ(told, (std::vector<double>{3, 3, 3, 3, 1, 1, 1, 1, 2}));
}

/// average = 0 is the generator itself; the average of few steps lies nearer to the start.
TEST(GanTraining, GivesTheRunningAverage) {
  GanTraining options = short_gan();
  options.candidate_steps = 0;
  options.average = 0;
  const at::Tensor last = train(options).generator.parameters()[0].tensor.detach().clone();
  options.steps = 0;
  const at::Tensor start = train(options).generator.parameters()[0].tensor.detach().clone();
  options.steps = 1;
  const at::Tensor first = train(options).generator.parameters()[0].tensor.detach().clone();
  options.average = 0.75;
  const at::Tensor averaged = train(options).generator.parameters()[0].tensor.detach().clone();
  EXPECT_TRUE(at::allclose(averaged, 0.75 * start + 0.25 * first, 1e-5, 1e-7));
  EXPECT_FALSE(at::allclose(last, first));
}

/// Scores of a new discriminator are near 0: cross-entropies near log 2, hinges near 1.
TEST(GanTraining, BeginsWithTheLossesOfNoOpinion) {
  for (const GanLoss loss : {GanLoss::original, GanLoss::hinge}) {
    GanTraining options = short_gan();
    options.loss = loss;
    options.steps = 1;
    options.candidate_steps = 0;
    Progress first;
    train(options, some_distance, [&](const Progress& now) { first = now; });
    EXPECT_EQ(first.stage, "generator");
    const bool hinge = loss == GanLoss::hinge;
    EXPECT_EQ(first.values[0].first, "discriminator");
    EXPECT_NEAR(first.values[0].second, hinge ? 2 : 2 * std::log(2.0), 0.1);
    EXPECT_EQ(first.values[3].first, "generator");
    EXPECT_NEAR(first.values[3].second, hinge ? 0 : std::log(2.0), 0.1);
  }
}

/// Both networks have batch norm, which sees all images on any number of threads.
TEST(GanTraining, DoesNotDependOnTheNumberOfThreads) {
  GanTraining options = short_gan();
  options.steps = 3;
  options.candidate_steps = 0;
  std::vector<double> readings[2];
  for (const int threads : {1, 2}) {
    const test::Threads so_many(threads);
    train(options, some_distance, [&](const Progress& now) {
      for (const auto& [name, value] : now.values) readings[threads - 1].push_back(value);
    });
  }
  ASSERT_EQ(readings[0].size(), 12U);
  ASSERT_EQ(readings[1].size(), 12U);
  for (std::size_t i = 0; i < 12; ++i) EXPECT_NEAR(readings[1][i], readings[0][i], 1e-3) << i;
}

class GanLearning : public ::testing::TestWithParam<GanLoss> {};

/// Both make images that look real. The original loss finds both kinds; spectral norm and the hinge stay with one, as on faces.
TEST_P(GanLearning, SamplesAreLikeTheImages) {
  GanTraining options;
  options.loss = GetParam();
  options.spectral_norm = GetParam() == GanLoss::hinge;
  options.steps = 400;
  options.batch = 32;
  options.learning_rate = 2e-3;
  options.average = 0.95;
  options.candidate_steps = 0;
  options.seed = 1;
  const Pair pair = train(options);
  Generator generator = make_generator(2, "gan-test");
  const at::Tensor levels = pair.generator.forward(at::randn({400, 2}, generator)).mean({1, 2, 3});
  const double dark = levels.lt(0.35).to(at::kDouble).mean().item<double>(),
               bright = levels.gt(0.65).to(at::kDouble).mean().item<double>();
  EXPECT_GT(dark + bright, 0.8);
  if (GetParam() == GanLoss::hinge) return;
  EXPECT_GT(dark, 0.2);
  EXPECT_GT(bright, 0.2);
}
INSTANTIATE_TEST_SUITE_P(ByLoss, GanLearning, ::testing::Values(GanLoss::original, GanLoss::hinge),
                         [](const auto& each) { return std::string(name_of(each.param)); });

TEST(GanTraining, SpectralNormWithBatchNormIsRefused) {
  GanTraining options = short_gan();
  options.spectral_norm = true;
  nn::Network generator = upsampling_decoder({.image = {1, 16, 16}, .latents = 2, .width = 4});
  nn::Network discriminator = dcgan_discriminator({.image = {1, 16, 16}, .width = 4});
  const auto refused = [&] { train_gan(generator, discriminator, two_levels(16), options, some_distance); };
  EXPECT_TRUE(test::contains(test::usage_error_of(refused), "without batch norm"));
}

nn::Network small_scorer() {
  nn::Network network("scorer", {2, 4, 4});
  network.add("conv", nn::Conv2d{3, 3});
  network.add("flatten", nn::Flatten{});
  network.add("score", nn::Linear{1});
  Generator generator = make_generator(4, "gan-test");
  nn::initialise(network, {}, generator);
  return network;
}

TEST(SpectralNorm, DividesByTheLargestSingularValue) {
  const nn::Network network = small_scorer();
  Generator generator = make_generator(1, "gan-test");
  SpectralNorm norm(network, generator);
  for (int i = 0; i < 100; ++i) norm.update();
  for (const nn::NamedTensor& own : norm.network().parameters()) {
    if (own.tensor.dim() < 2) continue;
    const at::Tensor matrix = own.tensor.detach().flatten(1).to(at::kDouble);
    EXPECT_NEAR(std::get<1>(at::linalg_svd(matrix, /*full_matrices=*/false)).max().item<double>(), 1, 1e-5)
        << own.name;
  }
}

/// The gradient of a loss of W / s(W) in W, against differences; s(W) by its definition.
TEST(SpectralNorm, PullsGradientsBackThroughTheDivision) {
  nn::Network network = small_scorer();
  Generator generator = make_generator(1, "gan-test");
  SpectralNorm norm(network, generator);
  for (int i = 0; i < 300; ++i) norm.update();
  const at::Tensor images = at::randn({5, 2, 4, 4}, generator);
  const auto loss_of = [&](const nn::Network& normalised) {
    return normalised.forward(images).square().sum();
  };
  std::vector<at::Tensor> parameters;
  for (const nn::NamedTensor& own : norm.network().parameters()) parameters.push_back(own.tensor);
  const at::Tensor gradient =
      norm.pulled_back(torch::autograd::grad({loss_of(norm.network())}, parameters)).front();
  const at::Tensor weight = network.parameters().front().tensor;
  const auto value_with = [&](double change, std::int64_t element) {
    const at::NoGradGuard no_gradients;
    const at::Tensor place = weight[element / 18][element / 9 % 2][element / 3 % 3][element % 3];
    place.add_(change);
    for (int i = 0; i < 100; ++i) norm.update();
    const double value = loss_of(norm.network()).item<double>();
    place.sub_(change);
    return value;
  };
  for (const std::int64_t element : {0, 7, 30, 53}) {
    const double difference = (value_with(1e-2, element) - value_with(-1e-2, element)) / 2e-2;
    EXPECT_NEAR(gradient.reshape(-1)[element].item<double>(), difference, 2e-3 * (1 + std::abs(difference)))
        << element;
  }
}

TEST(SharedAugmentation, MovesCutsAndRecoloursAndIsDifferentiable) {
  Generator generator = make_generator(3, "gan-test");
  const at::Tensor ones = at::ones({6, 3, 16, 16}, at::kDouble);
  const at::Tensor cut = augment(ones, SharedAugmentation{.cutout = true}, generator);
  const at::Tensor grey = cut.eq(0).sum({1, 2, 3});
  EXPECT_LE(grey.max().item<std::int64_t>(), 3 * 64);
  EXPECT_GE(grey.min().item<std::int64_t>(), 3 * 16);
  // A ramp's rows and columns stay rows and columns, at most 2 further.
  const at::Tensor ramp = (at::arange(256, at::kDouble).view({1, 1, 16, 16}) + 1).expand({20, 1, 16, 16});
  const at::Tensor moved = augment(ramp, SharedAugmentation{.translation = true}, generator);
  std::set<std::int64_t> shifts;
  for (std::int64_t i = 0; i < 20; ++i) {
    const auto shift = static_cast<std::int64_t>((moved[i][0][8][8] - ramp[i][0][8][8]).item<double>());
    shifts.insert(shift);
    const std::int64_t down = (shift + 40) / 16 - 2, across = shift - 16 * down;
    EXPECT_LE(std::abs(down), 2);
    EXPECT_LE(std::abs(across), 2);
    EXPECT_EQ(moved[i][0][5][9].item<double>(), ramp[i][0][5][9].item<double>() + static_cast<double>(shift));
  }
  EXPECT_GT(shifts.size(), 3u);
  const at::Tensor noise = at::randn({3, 3, 4, 4}, generator, at::kDouble).requires_grad_();
  const SharedAugmentation all{.colour = true, .translation = true, .cutout = true};
  const at::Tensor weights = at::randn({3, 3, 4, 4}, generator, at::kDouble);
  const auto value = [&](const at::Tensor& images) {
    Generator draws = make_generator(9, "gan-test");
    return (augment(images, all, draws) * weights).sum();
  };
  const at::Tensor slope = torch::autograd::grad({value(noise)}, {noise}).front();
  const at::Tensor direction = at::randn({3, 3, 4, 4}, generator, at::kDouble);
  const double expected =
      ((value(noise.detach() + 1e-4 * direction) - value(noise.detach() - 1e-4 * direction)) / 2e-4)
          .item<double>();
  EXPECT_NEAR((slope * direction).sum().item<double>(), expected, 1e-6);
}

TEST(GanTraining, AwayFromTheProcessorItMovesEverything) {
  Pair pair = fresh_pair();
  pair.generator.to(at::kMeta);
  pair.discriminator.to(at::kMeta);
  GanTraining options = short_gan();
  options.candidate_steps = 0;
  options.augmentation = {.colour = true, .translation = true, .cutout = true};
  test::expect_three_steps_without_a_wait([&](const ProgressCallback& progress) {
    train_gan(pair.generator, pair.discriminator, two_levels(64), options, some_distance, progress);
  });
}

}  // namespace
}  // namespace whence::models
