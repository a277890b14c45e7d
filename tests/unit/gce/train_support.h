// Short trainings of a small autoencoder on `sides`, with classifiers whose answer is known.
#pragma once

#include <stdexcept>

#include "unit/gce/sides.h"
#include "whence/explain/flow/information_flow.h"
#include "whence/explain/gce/train.h"
#include "whence/models/zoo/zoo.h"

namespace whence::gce::test_support {

/// Its answer is the left half's brightness, the other half it does not see.
class LeftHalf : public models::Classifier {
 public:
  explicit LeftHalf(double slope = 20, double middle = 0.4) : slope_(slope), middle_(middle) {}
  at::Tensor logits(const at::Tensor& x) const override {
    const at::Tensor brightness = slope_ * (x.narrow(3, 0, 4).mean({1, 2, 3}) - middle_);
    return at::stack({-brightness, brightness}, 1);
  }
  std::int64_t classes() const override { return 2; }

 private:
  double slope_, middle_;
};

class Unasked : public models::Classifier {
 public:
  at::Tensor logits(const at::Tensor&) const override { throw std::logic_error("the classifier was asked"); }
  std::int64_t classes() const override { return 2; }
};

struct Trained {
  nn::Network encoder, decoder;
  nn::LoopSummary summary;
};

inline Training short_training(std::uint64_t seed, double lambda) {
  Training training;
  training.causal = training.noncausal = 1;
  training.lambda = lambda;
  training.steps = 150;
  training.batch = 32;
  training.learning_rate = 5e-3;
  training.schedule = Schedule::one_cycle;
  training.seed = seed;
  return training;
}

inline Trained untrained() {
  const models::CvaeOptions options{.image = {1, 8, 8}, .latents = 2, .width = 8};
  return {models::cvae_encoder(options), models::cvae_decoder(options), {}};
}

inline Trained train_with(const models::Classifier& classifier, const Training& training) {
  Trained trained = untrained();
  trained.summary = train(trained.encoder, trained.decoder, classifier, test::sides(256), training);
  return trained;
}

inline Trained train_sides(std::uint64_t seed, double lambda) {
  return train_with(LeftHalf(), short_training(seed, lambda));
}

inline Training variational_training(std::uint64_t seed) {
  Training training = short_training(seed, 0.05);
  training.effect.inference = Inference::variational;
  training.effect.estimator.sampling = flow::Sampling::nested;
  training.effect.alpha_samples = 64;
  training.effect.beta_samples = 1;
  return training;
}

inline flow::FlowReport flow_of(const Trained& trained, const models::Classifier& classifier = LeftHalf()) {
  flow::FlowOptions options;
  options.outer = options.inner = 50;
  return flow::measure_flow(*models::as_decoder(trained.decoder), classifier, 1, options, 1);
}

}  // namespace whence::gce::test_support
