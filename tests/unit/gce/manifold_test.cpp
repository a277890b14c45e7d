// A generator that could move a classifier by a pattern that no image has, and what holding it to the images changes.
#include "whence/explain/gce/manifold.h"

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>

#include "support/errors.h"
#include "unit/gce/sides.h"
#include "whence/core/error.h"
#include "whence/core/random.h"
#include "whence/explain/flow/information_flow.h"
#include "whence/explain/gce/train.h"
#include "whence/models/zoo/zoo.h"

namespace whence::gce {
namespace {

using test::sides;

struct Autoencoder {
  nn::Network encoder, decoder;
};

Autoencoder autoencoder(std::uint64_t seed = 1) {
  const models::CvaeOptions options{.image = {1, 8, 8}, .latents = 2, .width = 8};
  Autoencoder made = {models::cvae_encoder(options), models::cvae_decoder(options)};
  Generator weights = make_generator(seed, "autoencoder");
  nn::initialise(made.encoder, {}, weights);
  nn::initialise(made.decoder, {}, weights);
  return made;
}

at::Tensor random_images(std::int64_t count) {
  Generator generator = make_generator(2, "images");
  return at::rand({count, 1, 8, 8}, generator);
}

at::Tensor by_hand(const Autoencoder& models, const at::Tensor& images) {
  return models.decoder.forward(models.encoder.forward_all(images)[0]);
}

TEST(Manifold, IsTheAutoencoderAsItWas) {
  Autoencoder models = autoencoder();
  const Manifold manifold(models.encoder, models.decoder);
  const at::Tensor images = random_images(3), then = by_hand(models, images).detach();
  EXPECT_TRUE(at::equal(manifold.nearest(images, Precision::float32), then));
  const Autoencoder others = autoencoder(5);
  models.encoder.load_state(others.encoder.state());
  models.decoder.load_state(others.decoder.state());
  EXPECT_TRUE(at::equal(manifold.nearest(images, Precision::float32), then)) << "it shares no weights";
  Manifold later = manifold;
  later.take(models.encoder, models.decoder);
  EXPECT_TRUE(at::equal(later.nearest(images, Precision::float32), by_hand(others, images)));
}

TEST(Manifold, DepartureIsTheSquaredErrorAndPullsTowardsTheNearestImage) {
  const Autoencoder models = autoencoder();
  const Manifold manifold(models.encoder, models.decoder);
  const at::Tensor images = random_images(3).requires_grad_();
  const at::Tensor difference = (images - by_hand(models, images)).detach();
  const at::Tensor value = departure(manifold, images, Precision::float32);
  EXPECT_NEAR(value.item<double>(), difference.to(at::kDouble).square().sum().item<double>() / 3, 1e-5);
  value.backward();
  EXPECT_TRUE(at::allclose(images.grad(), 2 * difference / 3, 0, 1e-6));
}

/// How much of a checkerboard is in each image: its amplitude, with its sign.
at::Tensor checkerboard_in(const at::Tensor& images) {
  const at::Tensor cells = (at::arange(8).view({8, 1}) + at::arange(8)).remainder(2) * 2 - 1;
  return (images * cells.to(at::kFloat)).mean({1, 2, 3});
}

/// Tells them apart by the left half, as they can be, but is not sure; a checkerboard makes it sure.
class SeesCheckerboards : public models::Classifier {
 public:
  at::Tensor logits(const at::Tensor& x) const override {
    const at::Tensor score = 4 * (x.narrow(3, 0, 4).mean({1, 2, 3}) - 0.4) + 30 * checkerboard_in(x);
    return at::stack({-score, score}, 1);
  }
  std::int64_t classes() const override { return 2; }
};

Training training_with(double manifold_weight) {
  Training training;
  training.causal = training.noncausal = 1;
  training.lambda = 0.01;
  training.manifold_weight = manifold_weight;
  training.pretraining = training.steps = 300;
  training.batch = 32;
  training.learning_rate = 5e-3;
  training.schedule = Schedule::one_cycle;
  return training;
}

struct Generated {
  double pattern = 0;  ///< root mean square of the checkerboards in images of the prior
  double flow = 0;     ///< I(alpha; Y), nats
};

Generated generated_with(double manifold_weight) {
  Autoencoder models = autoencoder();
  train(models.encoder, models.decoder, SeesCheckerboards(), sides(256), training_with(manifold_weight));
  const auto decoder = models::as_decoder(models.decoder);
  Generator generator = make_generator(6, "prior");
  const at::Tensor images = decoder->decode(at::randn({500, 2}, generator));
  flow::FlowOptions options;
  options.outer = options.inner = 50;
  return {std::sqrt(checkerboard_in(images).square().mean().item<double>()),
          flow::measure_flow(*decoder, SeesCheckerboards(), 1, options, 1).alpha.nats};
}

TEST(Manifold, PatternsThatNoImageHasGiveWayAndTheCauseStays) {
  const Generated free = generated_with(0), held = generated_with(1);
  EXPECT_GT(free.flow, 0.5);  // of log 2 = 0.693
  EXPECT_GT(held.flow, 0.3);
  EXPECT_GT(free.pattern, 1.5 * held.pattern);
}

/// Interrupted before and behind the step where the autoencoder is taken over.
TEST(Manifold, ResumedTrainingEndsWithTheBitsOfUninterruptedTraining) {
  Training training = training_with(1);
  training.pretraining = training.steps = 10;
  const auto trained = [&](int interrupted_at) {
    Autoencoder models = autoencoder();
    int seen = 0;
    train(models.encoder, models.decoder, SeesCheckerboards(), sides(64), training, [&](const Progress&) {
      if (++seen == interrupted_at) throw Error("interrupted", ExitCode::interrupted);
    });
    return models.decoder;
  };
  const nn::Network whole = trained(-1);
  training.checkpoint = std::filesystem::path(testing::TempDir()) / "manifold.safetensors";
  std::filesystem::remove(training.checkpoint);
  EXPECT_THROW(trained(5), Error);
  EXPECT_THROW(trained(9), Error);
  const nn::Network parts = trained(-1);
  for (std::size_t i = 0; i < whole.parameters().size(); ++i)
    EXPECT_TRUE(at::equal(whole.parameters()[i].tensor, parts.parameters()[i].tensor));
  std::filesystem::remove(training.checkpoint);
}

TEST(Manifold, NeedsPretraining) {
  Training training = training_with(1);
  training.pretraining = 0;
  Autoencoder models = autoencoder();
  test::expect_error([&] { train(models.encoder, models.decoder, SeesCheckerboards(), sides(64), training); },
                     {"needs pretraining"}, ExitCode::usage);
}

}  // namespace
}  // namespace whence::gce
