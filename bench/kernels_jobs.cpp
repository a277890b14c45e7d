#include "kernels_jobs.h"

#include <algorithm>
#include <ctime>
#include <memory>

#include "whence/core/random.h"
#include "whence/explain/flow/information_flow.h"
#include "whence/models/architectures.h"
#include "whence/models/train/classifier.h"
#include "workshop.h"

namespace whence::bench {
namespace {

using nn::KernelFamily;
using Families = std::vector<KernelFamily>;

double time_on(clockid_t clock) {
  timespec now{};
  ::clock_gettime(clock, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}
Cost now() { return {time_on(CLOCK_MONOTONIC), time_on(CLOCK_PROCESS_CPUTIME_ID)}; }
Cost since(const Cost& start) {
  const Cost end = now();
  return {end.seconds - start.seconds, end.processor - start.processor};
}

/// A step of the explanation of Fashion-MNIST 0/3/4, or of its VAE alone.
std::function<Cost()> explanation_steps(std::int64_t draws, Precision precision) {
  constexpr flow::Estimator nested = {flow::Sampling::nested, flow::Placement::stratified,
                                      flow::Correction::none};
  const int steps = precision == Precision::bfloat16 ? 10 : 6;
  const auto workshop = std::make_shared<Workshop>(Scene{});
  const Setting setting{"", precision, nested, draws, 1, steps, gce::Inference::variational};
  return [=] {
    Samples samples;
    workshop->time(setting, samples);
    return Cost{median(samples.seconds), median(samples.processor)};
  };
}

/// A step of the training of a classifier on colour images of 32 x 32 and ten classes. The first of a run is not counted.
std::function<Cost()> classifier_steps(const std::string& architecture, int steps, Precision precision) {
  constexpr std::int64_t batch = 64;
  const nn::Shape image = {3, 32, 32};
  const auto known = models::classifier_architectures();
  const auto found =
      std::find_if(known.begin(), known.end(), [&](const auto& a) { return a.name == architecture; });
  TORCH_CHECK(found != known.end(), "no classifier ", architecture);
  const auto network = std::make_shared<nn::Network>(found->make({.image = image, .classes = 10}));
  const auto images = std::make_shared<data::Dataset>(random_images((steps + 1) * batch, image, 10));
  models::ClassifierTraining options;
  options.epochs = 1;
  options.batch = batch;
  options.momentum = 0.9;
  options.weight_decay = 1e-3;
  options.learning_rate = 1e-3;
  options.precision = precision;
  return [=] {
    Samples samples;
    Cost last;
    models::train_classifier(*network, *images, options, [&](const Progress& progress) {
      const Cost step = since(last);
      if (progress.step > 1) {
        samples.seconds.push_back(step.seconds);
        samples.processor.push_back(step.processor);
      }
      last = now();
    });
    return Cost{median(samples.seconds), median(samples.processor)};
  };
}

/// The flow of the causal factors of Fashion-MNIST 0/3/4 with 200 outer draws. 8 inner ones, not 200: each batch of draws
/// costs the same.
std::function<Cost()> flow(Precision precision) {
  const Scene scene;
  nn::Network decoder = models::cvae_decoder({.latents = scene.causal + scene.noncausal});
  nn::Network classifier = models::base_cnn({.classes = scene.classes});
  Generator weights = make_generator(0, "bench/flow");
  nn::initialise(decoder, {}, weights);
  nn::initialise(classifier, {}, weights);
  const std::shared_ptr<models::Decoder> decodes = models::as_decoder(decoder, precision);
  const std::shared_ptr<models::Classifier> classifies = models::as_classifier(classifier, precision);
  const flow::FlowOptions options{
      .outer = 200, .inner = 8, .estimator = {.outer_draws = flow::Placement::stratified}};
  return [=] {
    Generator draws = make_generator(0, "bench/flow/draws");
    const Cost start = now();
    flow::information_flow(*decodes, *classifies, {0, 1}, options, draws);
    return since(start);
  };
}

}  // namespace

std::vector<Job> main_jobs(Precision precision) {
  using enum KernelFamily;
  const bool narrow = precision == Precision::bfloat16;
  const Families convolutions = narrow ? Families{bf16_convolution} : Families{};
  const Families both = narrow ? Families{bf16_convolution, bf16_transposed_convolution} : Families{subpixel};
  return {
      {"VAE step, fmnist-034", precision, explanation_steps(0, precision), both},
      {"GCE step, fmnist-034", precision, explanation_steps(16, precision), both},
      {"training step, VGG-11", precision, classifier_steps("vgg11", narrow ? 3 : 1, precision),
       convolutions},
      {"training step, base CNN, colour", precision, classifier_steps("base-cnn", narrow ? 6 : 3, precision),
       convolutions},
      {"training step, Parafita's (2018) CNN", precision,
       classifier_steps("parafita-cifar", narrow ? 3 : 1, precision), convolutions},
      {"flow, fmnist-034", precision, flow(precision), both},
  };
}

}  // namespace whence::bench
