// The gradients of a training step, with draws of the posterior and in parts side by side, against a step by hand and
// the step of one thread.
#include <ATen/Parallel.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include "unit/gce/sides.h"
#include "unit/gce/train_support.h"
#include "whence/core/random.h"
#include "whence/data/batches.h"
#include "whence/explain/gce/train.h"
#include "whence/models/zoo/zoo.h"
#include "whence/platform/machine.h"

namespace whence::gce {
namespace {

using test::sides;
using test_support::LeftHalf;
using test_support::short_training;
using test_support::train_with;
using test_support::Trained;
using test_support::variational_training;

/// C of a step by hand: its images encoded with its noise, alphas and betas of different images decoded and classified.
at::Tensor posterior_effect(const Trained& models, const at::Tensor& images, const Training& training) {
  Generator generator = make_generator(training.seed, "gce/step/0");
  const std::vector<at::Tensor> posterior = models.encoder.forward_all(images, {});
  const at::Tensor z = posterior[0] + (0.5 * posterior[1]).exp() * at::randn({training.batch, 2}, generator);
  std::vector<at::Tensor> rows;
  for (std::int64_t a = 0; a < training.batch; ++a)
    for (std::int64_t b = 1; b <= 3; ++b)
      rows.push_back(at::stack({z[a][0], z[(a + b) % training.batch][1]}));
  const at::Tensor p =
      LeftHalf().logits(models.decoder.forward(at::stack(rows), {})).softmax(1).view({training.batch, 3, 2});
  const at::Tensor of_alpha = p.mean(1).to(at::kDouble), all = of_alpha.mean(0);
  return (of_alpha * of_alpha.log()).sum(1).mean() - (all * all.log()).sum();
}

/// Adam's first step moves each weight by the learning rate, up or down as its gradient says.
void expect_ascent(const nn::Network& before, const nn::Network& after,
                   const std::vector<at::Tensor>& gradients, double rate) {
  for (std::size_t i = 0; i < gradients.size(); ++i) {
    const at::Tensor clear = gradients[i].abs() > 3e-6;
    EXPECT_GT(clear.sum().item<std::int64_t>(), 0) << before.parameters()[i].name;
    const at::Tensor moved = (after.parameters()[i].tensor - before.parameters()[i].tensor).detach() / rate;
    EXPECT_LT(((moved - gradients[i].sign()) * clear).abs().max().item<double>(), 2e-2)
        << before.parameters()[i].name;
  }
}

TEST(GceTraining, DrawsOfThePosteriorMoveEncoderAndDecoderTowardsTheCause) {
  Training training = short_training(6, 0.05);
  training.steps = 60;  // the cause is begun to be seen, and far from certain
  const Trained start = train_with(LeftHalf(), training);
  training.lambda = 0;
  training.steps = 1;
  training.schedule = Schedule::constant;
  training.warm_start = true;
  training.effect.latents = Latents::posterior;
  training.effect.estimator.sampling = flow::Sampling::nested;
  training.effect.beta_samples = 3;

  const data::Dataset images = sides(256);
  const Trained by_hand = {start.encoder.clone(), start.decoder.clone(), {}};
  const at::Tensor expected =
      posterior_effect(by_hand, data::Batches(images, training.batch, training.seed).at(0).images, training);
  std::vector<at::Tensor> sought;
  for (const nn::Network* network : {&by_hand.encoder, &by_hand.decoder})
    for (const auto& [name, tensor] : network->parameters()) sought.push_back(tensor);
  const std::vector<at::Tensor> gradients = torch::autograd::grad({expected}, sought);
  const auto split = gradients.begin() + static_cast<std::ptrdiff_t>(start.encoder.parameters().size());

  Trained trained = {start.encoder.clone(), start.decoder.clone(), {}};
  double causal = 0;
  train(trained.encoder, trained.decoder, LeftHalf(), images, training,
        [&](const Progress& now) { causal = now.values[0].second; });
  EXPECT_NEAR(causal, expected.item<double>(), 1e-5);
  EXPECT_GT(causal, 0.05);
  expect_ascent(start.encoder, trained.encoder, {gradients.begin(), split}, training.learning_rate);
  expect_ascent(start.decoder, trained.decoder, {split, gradients.end()}, training.learning_rate);
}

class GceParts : public testing::TestWithParam<Latents> {
 protected:
  /// All weights after a training of the squares' classifier with so many threads.
  static at::Tensor weights_with(int threads, const Training& training) {
    nn::Network classifier = models::base_cnn({.image = {1, 8, 8}, .classes = 2, .width = 4});
    Generator weights = make_generator(5, "parts/classifier");
    nn::initialise(classifier, {}, weights);
    const auto role = models::as_classifier(classifier);
    const int before = at::get_num_threads();
    use_threads(threads);
    const Trained trained = train_with(*role, training);
    use_threads(before);
    std::vector<at::Tensor> flat;
    for (const nn::Network* network : {&trained.encoder, &trained.decoder})
      for (const auto& [name, tensor] : network->parameters()) flat.push_back(tensor.detach().flatten());
    return at::cat(flat);
  }
};

/// A part without a draw has no answer to give.
TEST_F(GceParts, ThereAreNoMoreThanDraws) {
  Training training = variational_training(1);
  training.steps = 3;
  training.effect.alpha_samples = 2;
  EXPECT_LT((weights_with(1, training) - weights_with(3, training)).abs().max().item<double>(), 1e-4);
}

/// A step cut into two parts is the step of one part, up to the rounding of sums: also with the leak penalty, whose
/// classifier must be a known network to be asked by two threads.
TEST_P(GceParts, SideBySideGiveTheGradientsOfTheWhole) {
  Training training = short_training(1, 0.05);
  training.steps = 3;
  training.leak_penalty = 0.5;
  training.answer_weight = 0.5;
  training.effect.estimator.sampling = flow::Sampling::crossed;
  training.effect.latents = GetParam();

  const double moved = (weights_with(1, training) - weights_with(2, training)).abs().max().item<double>();
  EXPECT_GT(moved, 0) << "one thread and two must not have taken the same path";
  EXPECT_LT(moved, 1e-4);
}
INSTANTIATE_TEST_SUITE_P(OfEither, GceParts, testing::Values(Latents::prior, Latents::posterior),
                         [](const auto& each) { return std::string(name_of(each.param)); });

}  // namespace
}  // namespace whence::gce
