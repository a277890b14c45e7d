// How long a training step takes: of the VAE alone, and of the generative causal explanation by estimator and
// precision, at the settings of the recipes (28 x 28 images, 3 classes, K = 2, L = 4, batch 64).
#include <ATen/Parallel.h>
#include <torch/csrc/autograd/autograd.h>

#include <CLI/CLI.hpp>
#include <chrono>
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

  /// Seconds of each step but the first.
  std::vector<double> time(const Setting& setting) {
    std::vector<double> seconds;
    auto last = std::chrono::steady_clock::now();
    const auto lap = [&](const Progress& progress) {
      const auto now = std::chrono::steady_clock::now();
      if (progress.step > 1) seconds.push_back(std::chrono::duration<double>(now - last).count());
      last = now;
    };
    train(setting, setting.steps + 1, lap);
    return seconds;
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

struct Measured {
  double least, median;
};

Measured summary(std::vector<double> seconds) {
  std::sort(seconds.begin(), seconds.end());
  return {seconds.front(), seconds[seconds.size() / 2]};
}

void print_table(Workshop& workshop, const std::vector<Setting>& settings, int rounds) {
  std::vector<std::vector<double>> seconds(settings.size());
  std::map<Precision, double> peak;
  for (int round = 0; round < rounds;
       ++round) {  // interleaved, because the machine's other load comes and goes
    for (std::size_t i = 0; i < settings.size(); ++i) {
      const std::vector<double> more = workshop.time(settings[i]);
      seconds[i].insert(seconds[i].end(), more.begin(), more.end());
      double& best = peak[settings[i].precision];
      if (settings[i].vae_only)
        best = std::max(best, peak_rate({workshop.encoder, workshop.decoder, workshop.classifier_network},
                                        192, settings[i].precision));
    }
  }
  fmt::print("{:<34}{:>7}{:>9}{:>9}{:>8}{:>9}{:>8}{:>8}\n", "step", "passes", "least ms", "median", "GFLOP",
             "GFLOP/s", "of peak", "of VAE");
  const auto median_of = [&](auto wanted) {
    for (std::size_t i = 0; i < settings.size(); ++i)
      if (wanted(settings[i])) return summary(seconds[i]).median;
    return std::numeric_limits<double>::quiet_NaN();
  };
  for (std::size_t i = 0; i < settings.size(); ++i) {
    const Setting& setting = settings[i];
    const auto [least, median] = summary(seconds[i]);
    const double work = workshop.operations(setting);
    const double vae =
        median_of([&](const Setting& s) { return s.vae_only && s.precision == setting.precision; });
    fmt::print("{:<34}{:>7}{:>9.1f}{:>9.1f}{:>8.2f}{:>9.0f}{:>7.0f}%{:>8.2f}\n", setting.name,
               kBatch + setting.draws(), 1e3 * least, 1e3 * median, work / 1e9, work / median / 1e9,
               100 * work / median / peak[setting.precision], median / vae);
  }
  for (const auto& [precision, rate] : peak)
    fmt::print("peak, {}: {:.0f} GFLOP/s (the fastest of the networks' convolutions, alone, forward)\n",
               name_of(precision), rate / 1e9);
  const double published = median_of([](const Setting& s) { return s.alpha * s.beta == 2500; });
  if (published > 0) {
    const double ours = median_of([](const Setting& s) { return s.alpha * s.beta == 128; });
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
