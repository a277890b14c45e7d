// How long a training step takes: of the VAE alone, and of the generative causal explanation by estimator and
// precision, at the settings of the recipe of Fashion-MNIST 0/3/4 (28 x 28 images, 3 classes, K = 2, L = 4, batch 32); and
// where the time goes, also in the training of a classifier.
#include <CLI/CLI.hpp>

#include <algorithm>

#include "cli/fast_start.h"
#include "step_profile.h"
#include "whence/models/architectures.h"
#include "whence/models/train/classifier.h"
#include "whence/platform/machine.h"
#include "workshop.h"

namespace whence::bench {
namespace {

constexpr flow::Estimator kPublished = {flow::Sampling::nested, flow::Placement::independent,
                                        flow::Correction::none};

constexpr flow::Estimator kSingle = {flow::Sampling::nested, flow::Placement::stratified,
                                     flow::Correction::none};

/// The recipes' own setting stands second, behind the VAE's.
std::vector<Setting> all_settings(bool published, bool narrow, int steps) {
  constexpr flow::Estimator crossed = {flow::Sampling::crossed, flow::Placement::stratified,
                                       flow::Correction::none};
  std::vector<Setting> settings;
  const auto add = [&](Precision precision) {
    const auto p = name_of(precision);
    settings.push_back({fmt::format("VAE only, {}", p), precision, crossed, 0, 0, steps});
    settings.push_back({fmt::format("variational 16x1, {}", p), precision, kSingle, 16, 1, steps,
                        gce::Inference::variational});
    for (const auto& [alpha, beta] : {std::pair{16, 2}, std::pair{32, 4}})
      settings.push_back(
          {fmt::format("crossed {}x{}, {}", alpha, beta, p), precision, crossed, alpha, beta, steps});
    settings.push_back({fmt::format("nested 32x4, {}", p), precision, kPublished, 32, 4, steps});
  };
  if (narrow) add(Precision::bfloat16);
  add(Precision::float32);
  if (published)
    settings.push_back({"published: nested 25x100, float32", Precision::float32, kPublished, 25, 100, 1});
  return settings;
}

/// The networks that can be profiled.
std::vector<std::string> profiles() {
  std::vector<std::string> names = {"explanation"};
  for (const auto& architecture : models::classifier_architectures()) names.emplace_back(architecture.name);
  return names;
}

/// Of the explanation's steps, after some that are not counted.
void profile_explanation(Workshop& workshop, const Setting& setting, int steps) {
  workshop.train(setting, setting.steps, {});
  print_profile(steps, [&] { workshop.train(setting, steps, {}); });
}

/// Of the training of a classifier on colour images of 32 x 32 and ten classes, after some steps that are not counted.
void profile_classifier(const std::string& architecture, Precision precision, std::int64_t batch, int steps) {
  const nn::Shape image = {3, 32, 32};
  const auto known = models::classifier_architectures();
  const auto found =
      std::find_if(known.begin(), known.end(), [&](const auto& a) { return a.name == architecture; });
  nn::Network network = found->make({.image = image, .classes = 10});
  models::ClassifierTraining options;
  options.epochs = 1;
  options.batch = batch;
  options.precision = precision;
  const data::Dataset few = random_images(3 * batch, image, 10),
                      images = random_images(steps * batch, image, 10);
  models::train_classifier(network, few, options);
  print_profile(steps, [&] { models::train_classifier(network, images, options); });
  const double work = static_cast<double>(batch) * step_operations(network, Gradients::of_weights);
  fmt::print("{:.1f} GFLOP a step\n", work / 1e9);
}

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

/// Median (least to most) over rounds of the ratio of the medians: two settings of one round met the same machine.
std::string ratio_by_round(const Samples& own, const Samples& other, int rounds) {
  const auto median_of = [&](const Samples& samples, int round) {
    const auto all = static_cast<int>(samples.seconds.size());
    return median({samples.seconds.begin() + all * round / rounds,
                   samples.seconds.begin() + all * (round + 1) / rounds});
  };
  std::vector<double> ratios;
  for (int round = 0; round < rounds; ++round)
    ratios.push_back(median_of(own, round) / median_of(other, round));
  const auto [least, most] = std::minmax_element(ratios.begin(), ratios.end());
  return fmt::format("{:.2f} ({:.2f} to {:.2f})", median(ratios), *least, *most);
}

void print_table(Workshop& workshop, const std::vector<Setting>& settings, int rounds) {
  std::vector<Samples> samples(settings.size());
  std::map<Precision, Rates> rates;
  for (int round = 0; round < rounds; ++round) {  // interleaved: the machine's other load comes and goes
    for (std::size_t i = 0; i < settings.size(); ++i) {
      workshop.time(settings[i], samples[i]);
      if (settings[i].vae_only()) improve(rates[settings[i].precision], workshop, settings[i].precision);
    }
  }
  const auto of_vae = [&](std::size_t i) {
    const auto vae = std::find_if(settings.begin(), settings.end(), [&](const Setting& s) {
      return s.vae_only() && s.precision == settings[i].precision;
    });
    return ratio_by_round(samples[i], samples[static_cast<std::size_t>(vae - settings.begin())], rounds);
  };
  fmt::print("{:<34}{:>7}{:>9}{:>8}{:>11}{:>8}{:>9}{:>9}{:>10}{:>20}\n", "step", "draws", "least ms",
             "median", "processor", "GFLOP", "GFLOP/s", "of peak", "of layers", "of VAE");
  for (std::size_t i = 0; i < settings.size(); ++i) {
    const Setting& setting = settings[i];
    const double work = workshop.operations(setting), seconds = median(samples[i].seconds);
    fmt::print("{:<34}{:>7}{:>9.1f}{:>8.1f}{:>11.1f}{:>8.2f}{:>9.0f}{:>8.0f}%{:>9.0f}%{:>20}\n", setting.name,
               setting.draws(), 1e3 * least(samples[i].seconds), 1e3 * seconds,
               1e3 * median(samples[i].processor), work / 1e9, work / seconds / 1e9,
               100 * work / seconds / fastest(rates[setting.precision]),
               100 * workshop.least_seconds(setting, rates[setting.precision]) / seconds, of_vae(i));
  }
  for (const auto& [precision, of_networks] : rates)
    fmt::print("peak, {}: {:.0f} GFLOP/s (the fastest of the networks' layers, alone, forward)\n",
               name_of(precision), fastest(of_networks) / 1e9);
  if (settings.back().draws() == 2500)
    fmt::print("published / {}: {:.0f}\n", settings[1].name,
               median(samples.back().seconds) / median(samples[1].seconds));
}

}  // namespace
}  // namespace whence::bench

int main(int argc, char** argv) {
  using namespace whence;
  CLI::App program{"Times training steps of generative causal explanations.", "bench_step"};
  int threads = 0, rounds = 5, steps = 8;
  bench::Scene scene;
  bool published = false, float32 = false;
  std::string profiled;
  program.add_option("--threads", threads, "0: every core");
  program.add_option("--batch", scene.batch, "Images of a step")->check(CLI::PositiveNumber);
  program.add_option("--rounds", rounds, "Each round times every setting once")->check(CLI::PositiveNumber);
  program.add_option("--steps", steps, "Steps of a setting in a round")->check(CLI::PositiveNumber);
  program
      .add_option("--profile", profiled, "Show each layer's share instead of the table: of a step of what")
      ->expected(0, 1)
      ->default_str("explanation")
      ->check(CLI::IsMember(bench::profiles()));
  program.add_flag("--float32", float32, "Leave bfloat16 out where this processor has it");
  program.add_flag("--published", published, "Time the published setting, too (seconds a step)");
  CLI11_PARSE(program, argc, argv);
  cli::start_with_fast_libraries();
  use_threads(threads);
  keep_freed_memory();
  const Machine machine = describe_machine();
  fmt::print("{} ({}), {} threads, LibTorch {}; batch {}\n", machine.processor, machine.vector_extensions,
             machine.threads, machine.libtorch, scene.batch);
  bench::Workshop workshop(scene);
  const auto settings = bench::all_settings(published, machine.bfloat16 && !float32, steps);
  if (profiled == "explanation") {
    bench::profile_explanation(workshop, settings[1], rounds * steps);
  } else if (!profiled.empty()) {
    bench::profile_classifier(profiled, settings[1].precision, scene.batch, rounds * steps);
  } else {
    bench::print_table(workshop, settings, rounds);
  }
  fmt::print("peak memory: {} MiB\n", peak_memory_bytes() >> 20);
  return 0;
}
