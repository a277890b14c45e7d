// Time to quality: runs recipes with several seeds and judges each result on test data, against a bar.
#include <sys/wait.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <iostream>

#include "cli/fast_start.h"
#include "experiment/metrics.h"
#include "experiment/pipeline.h"
#include "kinds/kinds.h"
#include "whence/core/error.h"
#include "whence/core/files.h"
#include "whence/platform/machine.h"

namespace whence::bench {
namespace {

namespace fs = std::filesystem;

/// Thresholds of a run, by the name of its recipe.
struct Bar {
  std::string recipe;
  double flow, bound, leak, seconds;  ///< least C; most SSE + KL, flow of a beta, seconds of training
};
const std::vector<Bar> kBars = {{"fmnist-034", 1.06, 22.1, 0.02, 180},
                                {"mnist-38", 0.680, 28.7, 0.0095, 180}};

struct Arguments {
  std::vector<std::string> recipes = {"recipes/gce/fmnist-034.toml", "recipes/gce/mnist-38.toml"}, settings;
  std::string out = "runs/quality";
  int seeds = 5;
};

/// One seed's figures, in the order of the table's columns.
struct Figures {
  double accuracy, classifier_seconds, seconds, step_milliseconds, flow, flow_error, bound, leak, mebibytes;

  bool good(const Bar& bar) const { return flow >= bar.flow && bound <= bar.bound && leak <= bar.leak; }
};

Figures read_figures(const fs::path& folder) {
  const nlohmann::json metrics = read_json(folder / "metrics.json");
  const auto figure = [&](const char* name, double scale = 1) {
    const bool path = std::string_view(name).find('.') != std::string_view::npos;
    const std::optional<double> value =
        path ? experiment::number_at(metrics, name)
             : experiment::value_of(experiment::metric_named(experiment::all_metrics(kinds::kinds()), name),
                                    metrics);
    if (!value)
      fail("{} holds no {}; remove the folder to measure it anew", (folder / "metrics.json").string(), name);
    return scale * *value;
  };
  return {figure("accuracy", 100),
          figure("classifier_seconds"),
          figure("training_seconds"),
          figure("gce.step_seconds_median", 1e3),
          figure("flow"),
          figure("gce.information_flow.alpha.se"),
          figure("bound"),
          figure("largest_beta"),
          figure("memory_bytes", 1.0 / (1 << 20))};
}

/// Trains and judges; a run that is there already is only read.
void run(const std::string& recipe, const std::vector<std::string>& settings, const fs::path& folder) {
  const experiment::Target target = experiment::find_target(kinds::kinds(), recipe, settings, folder);
  use_threads(static_cast<int>(target.recipe.get<experiment::RunOptions>().threads));
  keep_freed_memory();
  experiment::Session session(target.recipe, experiment::RunFolder(target.folder));
  experiment::Display display(experiment::style_for(stderr), stderr);
  experiment::PipelineOptions options;
  options.last = "evaluation";
  experiment::run_stages(session, options, display);
  display.finish();
}

/// In a process of its own, so that the largest memory is that of one run.
void run_apart(const std::string& recipe, const std::vector<std::string>& settings, const fs::path& folder) {
  const pid_t child = ::fork();
  if (child < 0) fail("cannot start a process for {}", recipe);
  if (child == 0) {
    try {
      run(recipe, settings, folder);
      ::_exit(0);
    } catch (const std::exception& error) {
      std::cerr << "bench_quality: " << error.what() << "\n";
      ::_exit(1);
    }
  }
  int status = 0;
  if (::waitpid(child, &status, 0) != child || status != 0)
    fail("the run of {} in {} failed", recipe, folder.string());
}

void print_row(const std::string& name, const Figures& f, const std::string& verdict) {
  fmt::print(
      "| {} | {:.2f} | {:.0f} | {:.0f} | {:.1f} | {:.4f} +- {:.4f} | {:.2f} | {:.4f} | {:.0f} | {} |\n", name,
      f.accuracy, f.classifier_seconds, f.seconds, f.step_milliseconds, f.flow, f.flow_error, f.bound, f.leak,
      f.mebibytes, verdict);
  std::fflush(stdout);
}

/// One end or the middle of each figure's spread, by itself.
Figures over_seeds(const std::vector<Figures>& all, double experiment::Spread::*part) {
  const auto of = [&](double Figures::*figure) {
    std::vector<double> values;
    for (const Figures& figures : all) values.push_back(figures.*figure);
    return experiment::spread_of(values).*part;
  };
  return {of(&Figures::accuracy), of(&Figures::classifier_seconds),
          of(&Figures::seconds),  of(&Figures::step_milliseconds),
          of(&Figures::flow),     of(&Figures::flow_error),
          of(&Figures::bound),    of(&Figures::leak),
          of(&Figures::mebibytes)};
}

void measure(const std::string& recipe, const Arguments& arguments) {
  const std::string name = fs::path(recipe).stem().string();
  const auto bar = std::find_if(kBars.begin(), kBars.end(), [&](const Bar& b) { return b.recipe == name; });
  fmt::print("\n{}", name);
  if (bar != kBars.end())
    fmt::print(": C >= {} nats, SSE+KL <= {}, every beta <= {}, training <= {} s", bar->flow, bar->bound,
               bar->leak, bar->seconds);
  fmt::print(
      "\n\n| seed | accuracy, % | classifier, s | training, s | ms a step | C, nats | SSE+KL | largest beta "
      "| MiB | quality |\n|---|---|---|---|---|---|---|---|---|---|\n");
  std::vector<Figures> all;
  int missed = 0;
  for (int seed = 0; seed < arguments.seeds; ++seed) {
    std::vector<std::string> settings = arguments.settings;
    settings.push_back(fmt::format("run.seed={}", seed));
    const fs::path folder = fs::path(arguments.out) / name / fmt::format("seed-{}", seed);
    run_apart(recipe, settings, folder);
    all.push_back(read_figures(folder));
    const bool good = bar == kBars.end() || all.back().good(*bar);
    missed += good ? 0 : 1;
    print_row(std::to_string(seed), all.back(), good ? "yes" : "no");
  }
  print_row("least", over_seeds(all, &experiment::Spread::least), "");
  print_row("median", over_seeds(all, &experiment::Spread::median),
            fmt::format("{} of {}", arguments.seeds - missed, arguments.seeds));
  print_row("most", over_seeds(all, &experiment::Spread::most), "");
  if (bar == kBars.end()) return;
  const double seconds = over_seeds(all, &experiment::Spread::median).seconds;
  fmt::print("\nquality: {} of {} seeds; time: median {:.0f} s of {:.0f} s allowed, {}\n",
             arguments.seeds - missed, arguments.seeds, seconds, bar->seconds,
             seconds <= bar->seconds ? "reached" : "missed");
}

}  // namespace
}  // namespace whence::bench

int main(int argc, char** argv) {
  using namespace whence;
  CLI::App program{"Runs recipes with several seeds; prints time and quality of each as a Markdown table.",
                   "bench_quality"};
  bench::Arguments arguments;
  program.add_option("recipes", arguments.recipes, "Recipes (default: those whose bars are known)");
  program.add_option("--seeds", arguments.seeds, "Seeds 0 .. N - 1")->check(CLI::PositiveNumber);
  program.add_option("--set", arguments.settings, "Changes a recipe value: section.key=value")
      ->expected(1)
      ->take_all();
  program.add_option("--out", arguments.out, "Where the runs go; those that are done are only read");
  CLI11_PARSE(program, argc, argv);
  cli::start_with_fast_libraries();
  try {
    const Machine machine = describe_machine();
    fmt::print("{} ({}), {} cores, LibTorch {}\n", machine.processor, machine.vector_extensions,
               machine.cores, machine.libtorch);
    for (const std::string& recipe : arguments.recipes) bench::measure(recipe, arguments);
  } catch (const Error& error) {
    std::cerr << "bench_quality: " << error.what() << "\n";
    return 1;
  }
  return 0;
}
