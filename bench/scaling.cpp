// How the cost of a training step grows: one thing at a time is changed from the setting of the recipe of
// Fashion-MNIST 0/3/4.
#include <CLI/CLI.hpp>

#include "cli/fast_start.h"
#include "whence/platform/machine.h"
#include "workshop.h"

namespace whence::bench {
namespace {

struct Case {
  std::string changed, value;
  Scene scene;
  std::int64_t alpha = 16, beta = 1;
};

/// The first is the recipe's own.
std::vector<Case> all_cases() {
  std::vector<Case> cases = {{"recipe", "", {}}};
  const auto change = [&](const std::string& name, std::int64_t Scene::*member,
                          const std::vector<std::int64_t>& values) {
    for (const std::int64_t value : values) {
      cases.push_back({name, std::to_string(value), {}});
      cases.back().scene.*member = value;
    }
  };
  change("K", &Scene::causal, {1, 4, 8});
  change("classes", &Scene::classes, {2, 10, 100});
  change("image side", &Scene::side, {16, 32, 64});
  change("width", &Scene::width, {16, 32, 128});
  change("batch", &Scene::batch, {16, 64, 128});
  for (const auto& [alpha, beta] : {std::pair{8, 1}, std::pair{32, 1}, std::pair{128, 1}, std::pair{128, 4}})
    cases.push_back({"draws", fmt::format("{}x{}", alpha, beta), {}, alpha, beta});
  return cases;
}

void print_table(Precision precision, int rounds, int steps) {
  constexpr flow::Estimator nested = {flow::Sampling::nested, flow::Placement::stratified,
                                      flow::Correction::none};
  const std::vector<Case> cases = all_cases();
  std::vector<Samples> samples(cases.size());
  std::vector<double> work(cases.size());
  for (int round = 0; round < rounds; ++round) {
    for (std::size_t i = 0; i < cases.size(); ++i) {
      Workshop workshop(cases[i].scene);
      const Setting setting{
          "", precision, nested, cases[i].alpha, cases[i].beta, steps, gce::Inference::variational};
      workshop.time(setting, samples[i]);
      work[i] = workshop.operations(setting);
    }
  }
  fmt::print(
      "| changed | to | least, ms | median, ms | of the recipe's | GFLOP | of the recipe's |\n"
      "|---|---|---|---|---|---|---|\n");
  const double recipe = median(samples[0].seconds);
  for (std::size_t i = 0; i < cases.size(); ++i) {
    const double seconds = median(samples[i].seconds);
    fmt::print("| {} | {} | {:.1f} | {:.1f} | {:.2f} | {:.2f} | {:.2f} |\n", cases[i].changed, cases[i].value,
               1e3 * least(samples[i].seconds), 1e3 * seconds, seconds / recipe, work[i] / 1e9,
               work[i] / work[0]);
  }
}

}  // namespace
}  // namespace whence::bench

int main(int argc, char** argv) {
  using namespace whence;
  CLI::App program{"Shows how the cost of a training step grows.", "bench_scaling"};
  int threads = 0, rounds = 3, steps = 8;
  program.add_option("--threads", threads, "0: every core");
  program.add_option("--rounds", rounds, "Each round times every case once")->check(CLI::PositiveNumber);
  program.add_option("--steps", steps, "Steps of a case in a round")->check(CLI::PositiveNumber);
  CLI11_PARSE(program, argc, argv);
  cli::start_with_fast_libraries();
  use_threads(threads);
  keep_freed_memory();
  const Machine machine = describe_machine();
  const Precision precision = machine.bfloat16 ? Precision::bfloat16 : Precision::float32;
  fmt::print("{} ({}), {} threads, LibTorch {}, {}\n\n", machine.processor, machine.vector_extensions,
             machine.threads, machine.libtorch, name_of(precision));
  bench::print_table(precision, rounds, steps);
  return 0;
}
