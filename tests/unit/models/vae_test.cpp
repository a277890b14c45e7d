// The VAE's steps against the same ones written out (unit/gce/train_gradients_test compares their gradients); here what is particular
// to the plain training.
#include "whence/models/train/vae.h"

#include <gtest/gtest.h>

#include "support/files.h"
#include "support/threads.h"
#include "whence/core/error.h"
#include "whence/core/random.h"
#include "whence/models/train/vae_loss.h"
#include "whence/models/zoo/zoo.h"

namespace whence::models {
namespace {

data::Dataset noise(std::int64_t count) {
  Generator generator = make_generator(7, "vae-test");
  const at::Tensor brightness = at::rand({count, 1, 1, 1}, generator);
  const at::Tensor images = (at::rand({count, 1, 8, 8}, generator) * 0.2 + 0.8 * brightness) * 255;
  return {images.to(at::kByte), at::zeros({count}, at::kLong), {"only"}};
}

struct Trained {
  nn::Network encoder, decoder;
};

Trained untrained() {
  const CvaeOptions options{.image = {1, 8, 8}, .latents = 3, .width = 4};
  return {cvae_encoder(options), cvae_decoder(options)};
}

VaeTraining short_training() {
  VaeTraining training;
  training.steps = 30;
  training.batch = 32;
  training.learning_rate = 5e-3;
  training.seed = 3;
  return training;
}

Trained train(const VaeTraining& training, const ProgressCallback& progress = {}) {
  Trained trained = untrained();
  train_vae(trained.encoder, trained.decoder, noise(128), training, progress);
  return trained;
}

void expect_the_same(const Trained& a, const Trained& b) {
  for (const auto& [one, other] : {std::pair{&a.encoder, &b.encoder}, {&a.decoder, &b.decoder}})
    for (std::size_t i = 0; i < one->parameters().size(); ++i)
      EXPECT_TRUE(at::equal(one->parameters()[i].tensor, other->parameters()[i].tensor))
          << one->parameters()[i].name;
}

TEST(VaeTraining, ResumedTrainingEndsWithTheBitsOfUninterruptedTraining) {
  const test::TemporaryFolder folder;
  VaeTraining training = short_training();
  const Trained whole = train(training);
  training.checkpoint = folder / "checkpoint.safetensors";
  std::int64_t seen = 0;
  const ProgressCallback stop = [&](const Progress& now) {
    ++seen;
    if (now.step == 11) throw Error("interrupted", ExitCode::interrupted);
  };
  EXPECT_THROW(train(training, stop), Error);
  expect_the_same(train(training, [&](const Progress&) { ++seen; }), whole);
  EXPECT_EQ(seen, 30);
}

/// Batch norm of each half alone would move the running variances by another amount. The running means differ: a bias in front of a
/// batch norm has no gradient but rounding, which Adam follows.
TEST(VaeTraining, WithBatchNormDoesNotDependOnTheNumberOfThreads) {
  VaeTraining training = short_training();
  training.steps = 4;
  std::vector<nn::NamedTensors> states;
  std::vector<double> losses;
  for (const int threads : {1, 2}) {
    const test::Threads so_many(threads);
    const CvaeOptions options{.image = {1, 8, 8}, .latents = 3, .width = 4, .batch_norm = true};
    Trained trained{cvae_encoder(options), cvae_decoder(options)};
    train_vae(trained.encoder, trained.decoder, noise(128), training,
              [&](const Progress& now) { losses.push_back(now.values.back().second); });
    states.push_back(trained.decoder.state());
  }
  ASSERT_EQ(losses.size(), 8U);
  for (std::size_t i = 0; i < 4; ++i) EXPECT_NEAR(losses[i + 4], losses[i], 1e-3 * losses[i]);
  for (std::size_t i = 0; i < states[0].size(); ++i) {
    if (states[0][i].name.find("running_var") == std::string::npos) continue;
    EXPECT_TRUE(at::allclose(states[0][i].tensor, states[1][i].tensor, 1e-2, 1e-3)) << states[0][i].name;
  }
}

TEST(VaeTraining, TellsItsTermsByName) {
  VaeTraining training = short_training();
  training.kl_weight = 2;
  training.terms = {{"brightness", 3, [](const at::Tensor& made, const at::Tensor& images) {
                       return (made.mean({1, 2, 3}) - images.mean({1, 2, 3})).square().mean();
                     }}};
  Progress last;
  train(training, [&](const Progress& now) { last = now; });
  EXPECT_EQ(last.stage, "generator");
  ASSERT_EQ(last.values.size(), 4u);
  EXPECT_EQ(last.values[2].first, "brightness");
  const auto& values = last.values;
  EXPECT_NEAR(values[3].second, values[0].second + 2 * values[1].second + 3 * values[2].second, 1e-9);
}

/// Adam's steps do not depend on the loss's scale: twice the KL and the squared error once more are the same training.
TEST(VaeTraining, ATermIsWorthItsWeight) {
  VaeTraining plain = short_training();
  plain.initial = InitialWeights::he;  // gradients far above Adam's epsilon
  VaeTraining doubled = plain, other = plain;
  doubled.kl_weight = 2;
  doubled.terms = {{"again", 1, squared_error}};
  other.kl_weight = 20;
  const Trained a = train(plain), b = train(doubled), c = train(other);
  const auto distance = [](const Trained& one, const Trained& two) {
    return (one.encoder.parameters()[0].tensor - two.encoder.parameters()[0].tensor)
        .abs()
        .mean()
        .item<double>();
  };
  EXPECT_LT(distance(a, b), 0.1 * distance(a, c));
}

TEST(VaeTraining, AWarmStartGoesOnFromTheWeights) {
  Trained trained = train(short_training());
  const at::Tensor before = trained.decoder.parameters()[0].tensor.detach().clone();
  VaeTraining hardly = short_training();
  hardly.warm_start = true;
  hardly.steps = 1;
  hardly.learning_rate = 1e-12;
  train_vae(trained.encoder, trained.decoder, noise(128), hardly);
  EXPECT_TRUE(at::allclose(trained.decoder.parameters()[0].tensor, before, 0, 1e-9));
}

}  // namespace
}  // namespace whence::models
