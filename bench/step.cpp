// How long a training step takes: of the VAE alone, and of the generative causal explanation by estimator and
// precision, at the settings of the recipes (28 x 28 images, 3 classes, K = 2, L = 4, batch 64).
#include <ATen/Parallel.h>
#include <time.h>
#include <torch/csrc/autograd/autograd.h>

#include <CLI/CLI.hpp>

#include <limits>
#include <map>

#include "step_cost.h"
#include "step_profile.h"
#include "whence/core/machine.h"
#include "whence/core/random.h"
#include "whence/data/batches.h"
#include "whence/explain/gce/train.h"
#include "whence/models/zoo.h"
#include "whence/nn/optimizer.h"

namespace whence::bench {
namespace {

constexpr std::int64_t kCausal = 2, kNoncausal = 4, kBatch = 64, kClasses = 3;

struct Setting {
  std::string name;
  Precision precision;
  gce::Sampling sampling;
  gce::Correction correction;
  std::int64_t alpha, beta;
  int steps;  ///< in each round
  bool vae_only = false;

  std::int64_t draws() const { return vae_only ? 0 : alpha * beta; }
};

std::vector<Setting> all_settings(bool published, bool narrow, int steps) {
  using gce::Correction, gce::Sampling;
  std::vector<Setting> settings;
  const auto add = [&](Precision precision) {
    const auto p = name_of(precision);
    settings.push_back(
        {fmt::format("VAE only, {}", p), precision, Sampling::crossed, Correction::none, 0, 0, steps, true});
    settings.push_back({fmt::format("crossed 32x4 delta, {}", p), precision, Sampling::crossed,
                        Correction::delta, 32, 4, steps});
    settings.push_back({fmt::format("crossed 16x4 delta, {}", p), precision, Sampling::crossed,
                        Correction::delta, 16, 4, steps});
    settings.push_back({fmt::format("nested 32x4 jackknife, {}", p), precision, Sampling::nested,
                        Correction::jackknife, 32, 4, steps});
  };
  if (narrow) add(Precision::bfloat16);
  add(Precision::float32);
  if (published)
    settings.push_back({"published: nested 25x100, float32", Precision::float32, Sampling::nested,
                        Correction::none, 25, 100, 1});
  return settings;
}

double seconds_on(clockid_t clock) {
  timespec now{};
  ::clock_gettime(clock, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

/// One entry a step: seconds that passed, and seconds that the process spent on processors, all threads together.
struct Samples {
  std::vector<double> seconds, processor;
};

/// Networks of the recipes with the texts' initial values, random images, and a classifier that was never trained: a
/// step costs what it costs whatever the numbers are.
class Workshop {
 public:
  Workshop() {
    Generator generator = make_generator(0, "bench/step");
    nn::initialise(classifier_network, {}, generator);
    data.images = at::randint(256, {16 * kBatch, 1, 28, 28}, generator, at::kByte);
    data.labels = at::zeros({16 * kBatch}, at::kLong);
    data.class_names = {"0", "1", "2"};
  }

  /// Appends what each step but the first takes.
  void time(const Setting& setting, Samples& samples) {
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

  void train(const Setting& setting, int steps, const ProgressCallback& progress) {
    if (setting.vae_only) return train_vae(setting.precision, steps, progress);
    gce::Training options;
    options.causal = kCausal;
    options.noncausal = kNoncausal;
    options.effect = {.estimator = {setting.sampling, gce::Placement::independent, setting.correction},
                      .alpha_samples = setting.alpha,
                      .beta_samples = setting.beta};
    options.steps = steps;
    options.batch = kBatch;
    options.precision = setting.precision;
    const auto classifier = models::as_classifier(classifier_network, setting.precision);
    gce::train(encoder, decoder, *classifier, data, options, progress);
  }

  double operations(const Setting& setting) const {
    const auto batch = static_cast<double>(kBatch), draws = static_cast<double>(setting.draws());
    return batch * step_operations(encoder, Gradients::of_weights) +
           (batch + draws) * step_operations(decoder, Gradients::of_weights_and_input) +
           draws * step_operations(classifier_network, Gradients::of_input);
  }

  nn::Network encoder = models::cvae_encoder({.latents = kCausal + kNoncausal});
  nn::Network decoder = models::cvae_decoder({.latents = kCausal + kNoncausal});
  nn::Network classifier_network = models::base_cnn({.classes = kClasses});

 private:
  /// The loss without its causal term, otherwise as gce::train.
  void train_vae(Precision precision, int steps, const ProgressCallback& progress) {
    Generator generator = make_generator(0, "bench/vae");
    nn::initialise(encoder, {.convolution_deviation = 0.02}, generator);
    nn::initialise(decoder, {.convolution_deviation = 0.02}, generator);
    nn::Optimizer optimizer({&encoder, &decoder}, nn::Adam{0.5, 0.999});
    data::Batches batches(data, kBatch, 0);
    const auto step = [&](std::int64_t index) -> nn::Readings {
      const at::Tensor images = batches.at(index).images;
      const nn::Execution execution{precision, /*training=*/true, &generator};
      const auto posterior = encoder.forward_all(images, execution);
      const at::Tensor noise = at::randn(posterior[0].sizes(), generator, posterior[0].options());
      const at::Tensor image = decoder.forward(posterior[0] + (0.5 * posterior[1]).exp() * noise, execution);
      const at::Tensor loss =
          gce::squared_error(image, images) + gce::kl_divergence(posterior[0], posterior[1]);
      optimizer.zero_gradients();
      loss.backward();
      optimizer.step(5e-4);
      return {{"loss", loss.item<double>()}};
    };
    nn::run_training({"vae", "", steps, {}, 0}, {&encoder, &decoder}, optimizer, step, progress);
  }

  data::Dataset data;
};

double least(const std::vector<double>& values) { return *std::min_element(values.begin(), values.end()); }
double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

void print_table(Workshop& workshop, const std::vector<Setting>& settings, int rounds) {
  std::vector<Samples> samples(settings.size());
  std::map<Precision, double> peak;
  for (int round = 0; round < rounds;
       ++round) {  // interleaved, because the machine's other load comes and goes
    for (std::size_t i = 0; i < settings.size(); ++i) {
      workshop.time(settings[i], samples[i]);
      double& best = peak[settings[i].precision];
      if (settings[i].vae_only)
        best = std::max(best, peak_rate({workshop.encoder, workshop.decoder, workshop.classifier_network},
                                        192, settings[i].precision));
    }
  }
  const auto seconds_of = [&](auto wanted) {
    for (std::size_t i = 0; i < settings.size(); ++i)
      if (wanted(settings[i])) return median(samples[i].seconds);
    return std::numeric_limits<double>::quiet_NaN();
  };
  fmt::print("{:<34}{:>7}{:>9}{:>8}{:>11}{:>8}{:>9}{:>9}{:>8}\n", "step", "passes", "least ms", "median",
             "processor", "GFLOP", "GFLOP/s", "of peak", "of VAE");
  for (std::size_t i = 0; i < settings.size(); ++i) {
    const Setting& setting = settings[i];
    const double work = workshop.operations(setting), seconds = median(samples[i].seconds);
    const double vae =
        seconds_of([&](const Setting& s) { return s.vae_only && s.precision == setting.precision; });
    fmt::print("{:<34}{:>7}{:>9.1f}{:>8.1f}{:>11.1f}{:>8.2f}{:>9.0f}{:>8.0f}%{:>8.2f}\n", setting.name,
               kBatch + setting.draws(), 1e3 * least(samples[i].seconds), 1e3 * seconds,
               1e3 * median(samples[i].processor), work / 1e9, work / seconds / 1e9,
               100 * work / seconds / peak[setting.precision], seconds / vae);
  }
  for (const auto& [precision, rate] : peak)
    fmt::print("peak, {}: {:.0f} GFLOP/s (the fastest of the networks' convolutions, alone, forward)\n",
               name_of(precision), rate / 1e9);
  const double published = seconds_of([](const Setting& s) { return s.alpha * s.beta == 2500; });
  if (published > 0) {
    const double ours = seconds_of([](const Setting& s) { return s.alpha * s.beta == 128; });
    fmt::print("published / crossed 32x4 delta: {:.0f}\n", published / ours);
  }
}

}  // namespace
}  // namespace whence::bench

int main(int argc, char** argv) {
  using namespace whence;
  CLI::App program{"Times training steps of generative causal explanations.", "bench_step"};
  int threads = 0, rounds = 5, steps = 8;
  bool profile = false, published = false;
  program.add_option("--threads", threads, "0: every core");
  program.add_option("--rounds", rounds, "Each round times every setting once")->check(CLI::PositiveNumber);
  program.add_option("--steps", steps, "Steps of a setting in a round")->check(CLI::PositiveNumber);
  program.add_flag("--profile", profile, "Show each layer's share instead of the table");
  program.add_flag("--published", published, "Time the published setting, too (seconds a step)");
  CLI11_PARSE(program, argc, argv);
  use_threads(threads);
  keep_freed_memory();
  const Machine machine = describe_machine();
  fmt::print("{} ({}), {} threads, LibTorch {}\n", machine.processor, machine.vector_extensions,
             machine.threads, machine.libtorch);
  bench::Workshop workshop;
  const auto settings = bench::all_settings(published, machine.bfloat16, steps);
  if (profile) {
    const int all = rounds * steps;
    workshop.train(settings[1], steps, {});
    bench::print_profile(all, [&] { workshop.train(settings[1], all, {}); });
  } else {
    bench::print_table(workshop, settings, rounds);
  }
  fmt::print("peak memory: {} MiB\n", peak_memory_bytes() >> 20);
  return 0;
}
