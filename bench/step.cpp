// How long a training step takes: of the VAE alone, and of the generative causal explanation by estimator and
// precision, at the settings of the recipes (28 x 28 images, 3 classes, K = 2, L = 4, batch 64).
#include <time.h>

#include <CLI/CLI.hpp>

#include <limits>
#include <map>

#include "step_cost.h"
#include "step_profile.h"
#include "whence/core/machine.h"
#include "whence/core/random.h"
#include "whence/explain/gce/train.h"
#include "whence/models/zoo.h"

namespace whence::bench {
namespace {

constexpr std::int64_t kCausal = 2, kNoncausal = 4, kBatch = 64, kClasses = 3;

struct Setting {
  std::string name;
  Precision precision;
  gce::Estimator estimator;
  std::int64_t alpha, beta;
  int steps;  ///< in each round
  bool vae_only = false;

  std::int64_t draws() const { return vae_only ? 0 : alpha * beta; }
};

std::vector<Setting> all_settings(bool published, bool narrow, int steps) {
  using gce::Correction, gce::Placement, gce::Sampling;
  constexpr gce::Estimator stratified = {Sampling::crossed, Placement::stratified, Correction::delta};
  constexpr gce::Estimator nested = {Sampling::nested, Placement::independent, Correction::jackknife};
  std::vector<Setting> settings;
  const auto add = [&](Precision precision) {
    const auto p = name_of(precision);
    settings.push_back({fmt::format("VAE only, {}", p), precision, stratified, 0, 0, steps, true});
    settings.push_back({fmt::format("crossed 16x2 delta, {}", p), precision, stratified, 16, 2, steps});
    settings.push_back({fmt::format("crossed 32x4 delta, {}", p), precision, stratified, 32, 4, steps});
    settings.push_back({fmt::format("nested 32x4 jackknife, {}", p), precision, nested, 32, 4, steps});
  };
  if (narrow) add(Precision::bfloat16);
  add(Precision::float32);
  if (published)
    settings.push_back({"published: nested 25x100, float32",
                        Precision::float32,
                        {Sampling::nested, Placement::independent, Correction::none},
                        25,
                        100,
                        1});
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

/// How fast each layer runs alone, by network.
using Rates = std::map<std::string, std::vector<double>>;

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
    gce::Training options;
    options.causal = kCausal;
    options.noncausal = kNoncausal;
    options.causal_weight = setting.vae_only ? 0 : 1;
    options.effect = {
        .estimator = setting.estimator, .alpha_samples = setting.alpha, .beta_samples = setting.beta};
    options.steps = steps;
    options.batch = kBatch;
    options.precision = setting.precision;
    const auto classifier = models::as_classifier(classifier_network, setting.precision);
    gce::train(encoder, decoder, *classifier, data, options, progress);
  }

  double operations(const Setting& setting) const {
    return over_networks(setting, [](const nn::Network& network, Gradients gradients) {
      return step_operations(network, gradients);
    });
  }

  /// Seconds of a step whose convolutions and linear maps all ran at `rates`, and the rest took no time.
  double least(const Setting& setting, const Rates& rates) const {
    return over_networks(setting, [&](const nn::Network& network, Gradients gradients) {
      return least_seconds(network, gradients, rates.at(network.name()));
    });
  }

  std::vector<const nn::Network*> networks() const { return {&encoder, &decoder, &classifier_network}; }

  nn::Network encoder = models::cvae_encoder({.latents = kCausal + kNoncausal});
  nn::Network decoder = models::cvae_decoder({.latents = kCausal + kNoncausal});
  nn::Network classifier_network = models::base_cnn({.classes = kClasses});

 private:
  template <class Cost>
  double over_networks(const Setting& setting, const Cost& cost) const {
    const auto batch = static_cast<double>(kBatch), draws = static_cast<double>(setting.draws());
    return batch * cost(encoder, Gradients::of_weights) +
           (batch + draws) * cost(decoder, Gradients::of_weights_and_input) +
           draws * cost(classifier_network, Gradients::of_input);
  }

  data::Dataset data;
};

/// Keeps the best rate of each layer.
void improve(Rates& rates, const Workshop& workshop, Precision precision) {
  for (const nn::Network* network : workshop.networks()) {
    std::vector<double> now = layer_rates(*network, 96, precision);
    std::vector<double>& best = rates[network->name()];
    best.resize(now.size());
    for (std::size_t i = 0; i < now.size(); ++i) best[i] = std::max(best[i], now[i]);
  }
}

double fastest(const Rates& rates) {
  double rate = 0;
  for (const auto& [network, of_layers] : rates)
    for (const double of_layer : of_layers) rate = std::max(rate, of_layer);
  return rate;
}

double least(const std::vector<double>& values) { return *std::min_element(values.begin(), values.end()); }
double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

void print_table(Workshop& workshop, const std::vector<Setting>& settings, int rounds) {
  std::vector<Samples> samples(settings.size());
  std::map<Precision, Rates> rates;
  for (int round = 0; round < rounds;
       ++round) {  // interleaved, because the machine's other load comes and goes
    for (std::size_t i = 0; i < settings.size(); ++i) {
      workshop.time(settings[i], samples[i]);
      if (settings[i].vae_only) improve(rates[settings[i].precision], workshop, settings[i].precision);
    }
  }
  const auto seconds_of = [&](auto wanted) {
    for (std::size_t i = 0; i < settings.size(); ++i)
      if (wanted(settings[i])) return median(samples[i].seconds);
    return std::numeric_limits<double>::quiet_NaN();
  };
  fmt::print("{:<34}{:>7}{:>9}{:>8}{:>11}{:>8}{:>9}{:>9}{:>10}{:>8}\n", "step", "passes", "least ms",
             "median", "processor", "GFLOP", "GFLOP/s", "of peak", "of layers", "of VAE");
  for (std::size_t i = 0; i < settings.size(); ++i) {
    const Setting& setting = settings[i];
    const double work = workshop.operations(setting), seconds = median(samples[i].seconds);
    const double vae =
        seconds_of([&](const Setting& s) { return s.vae_only && s.precision == setting.precision; });
    fmt::print("{:<34}{:>7}{:>9.1f}{:>8.1f}{:>11.1f}{:>8.2f}{:>9.0f}{:>8.0f}%{:>9.0f}%{:>8.2f}\n",
               setting.name, kBatch + setting.draws(), 1e3 * least(samples[i].seconds), 1e3 * seconds,
               1e3 * median(samples[i].processor), work / 1e9, work / seconds / 1e9,
               100 * work / seconds / fastest(rates[setting.precision]),
               100 * workshop.least(setting, rates[setting.precision]) / seconds, seconds / vae);
  }
  for (const auto& [precision, of_networks] : rates)
    fmt::print("peak, {}: {:.0f} GFLOP/s (the fastest of the networks' layers, alone, forward)\n",
               name_of(precision), fastest(of_networks) / 1e9);
  const double published = seconds_of([](const Setting& s) { return s.alpha * s.beta == 2500; });
  if (published > 0) {
    const double ours = seconds_of([](const Setting& s) { return s.alpha * s.beta == 32; });
    fmt::print("published / crossed 16x2 delta: {:.0f}\n", published / ours);
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
