#include "workshop.h"

#include <time.h>

#include "whence/core/random.h"
#include "whence/models/zoo/zoo.h"

namespace whence::bench {
namespace {

double seconds_on(clockid_t clock) {
  timespec now{};
  ::clock_gettime(clock, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

models::CvaeOptions generator_of(const Scene& scene) {
  return {
      .image = {1, scene.side, scene.side}, .latents = scene.causal + scene.noncausal, .width = scene.width};
}

}  // namespace

double least(const std::vector<double>& values) { return *std::min_element(values.begin(), values.end()); }

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

data::Dataset random_images(std::int64_t count, const nn::Shape& image, std::int64_t classes) {
  Generator generator = make_generator(0, "bench/images");
  data::Dataset set;
  set.images = at::randint(256, {count, image[0], image[1], image[2]}, generator, at::kByte);
  set.labels = at::zeros({count}, at::kLong);
  for (std::int64_t i = 0; i < classes; ++i) set.class_names.push_back(std::to_string(i));
  return set;
}

Workshop::Workshop(const Scene& scene)
    : scene_(scene),
      encoder_(models::cvae_encoder(generator_of(scene))),
      decoder_(models::cvae_decoder(generator_of(scene))),
      classifier_(models::base_cnn(
          {.image = {1, scene.side, scene.side}, .classes = scene.classes, .width = scene.width / 2})) {
  Generator generator = make_generator(0, "bench/workshop");
  nn::initialise(classifier_, {}, generator);
  data_ = random_images(16 * scene.batch, {1, scene.side, scene.side}, scene.classes);
}

void Workshop::time(const Setting& setting, Samples& samples) {
  double last = 0, last_processor = 0;
  const auto lap = [&](const Progress& progress) {
    const double now = seconds_on(CLOCK_MONOTONIC), processor = seconds_on(CLOCK_PROCESS_CPUTIME_ID);
    if (progress.step > 1) {
      samples.seconds.push_back(now - last);
      samples.processor.push_back(processor - last_processor);
    }
    last = now;
    last_processor = processor;
  };
  train(setting, setting.steps + 1, lap);
}

void Workshop::train(const Setting& setting, int steps, const ProgressCallback& progress) {
  gce::Training options;
  options.causal = scene_.causal;
  options.noncausal = scene_.noncausal;
  options.causal_weight = setting.vae_only() ? 0 : 1;
  options.effect = {.inference = setting.inference,
                    .estimator = setting.estimator,
                    .alpha_samples = setting.alpha,
                    .beta_samples = setting.beta};
  options.steps = steps;
  options.batch = scene_.batch;
  options.precision = setting.precision;
  const auto classifier = models::as_classifier(classifier_, setting.precision);
  gce::train(encoder_, decoder_, *classifier, data_, options, progress);
}

double Workshop::operations(const Setting& setting) const { return over_networks(setting, step_operations); }

double Workshop::least_seconds(const Setting& setting, const Rates& rates) const {
  return over_networks(setting, [&](const nn::Network& network, Gradients gradients) {
    return bench::least_seconds(network, gradients, rates.at(network.name()));
  });
}

double Workshop::over_networks(const Setting& setting,
                               const std::function<double(const nn::Network&, Gradients)>& cost) const {
  const auto batch = static_cast<double>(scene_.batch), draws = static_cast<double>(setting.draws());
  return batch * cost(encoder_, Gradients::of_weights) +
         (batch + draws) * cost(decoder_, Gradients::of_weights_and_input) +
         draws * cost(classifier_, Gradients::of_input);
}

}  // namespace whence::bench
