// Compares the estimators of the information flow: bias and spread of value and gradient against passes. Writes the
// tables and figures of docs/estimators.md.
#include <CLI/CLI.hpp>
#include <iostream>

#include "cli/fast_start.h"
#include "estimators/tables.h"
#include "whence/core/error.h"
#include "whence/core/files.h"
#include "whence/platform/machine.h"

namespace whence::bench {
namespace {

struct Arguments {
  std::string run, out = "runs/estimators";
  std::int64_t repetitions = 80, run_repetitions = 24;
  int threads = 1;
  bool quick = false;
};

class Comparison {
 public:
  explicit Comparison(std::filesystem::path out) : out_(std::move(out)) {
    std::filesystem::create_directories(out_);
  }

  /// Writes what there is after each problem; `figure` may be empty.
  void add(Problem problem, std::int64_t repetitions, const std::string& figure) {
    const auto start = std::chrono::steady_clock::now();
    std::map<std::string, Quality> qualities = qualities_of(problem, repetitions);
    all_.push_back({std::move(problem), std::move(qualities)});
    sections_ += table_of(all_.back());
    const Machine machine = describe_machine();
    write_file(out_ / "tables.md",
               fmt::format("# Measured by bench_estimators\n\n{}, {} thread(s), LibTorch {}.\n\n",
                           machine.processor, machine.threads, machine.libtorch) +
                   summary_of(all_) + sections_);
    if (!figure.empty()) draw_errors(all_.back(), out_ / figure);
    const std::chrono::duration<double> spent = std::chrono::steady_clock::now() - start;
    std::cerr << fmt::format("{}: {:.0f} s\n", all_.back().problem.name, spent.count());
  }

 private:
  std::filesystem::path out_;
  std::vector<Compared> all_;
  std::string sections_;
};

void compare(const Arguments& arguments) {
  Comparison comparison(arguments.out);
  if (arguments.quick) return comparison.add(linear_gaussian(3, 2), 8, "linear-gaussian");
  for (const std::int64_t classes : {2, 3, 10})
    for (const std::int64_t causal : {1, 2, 3, 4})
      comparison.add(linear_gaussian(classes, causal), arguments.repetitions,
                     classes == 3 && causal == 2 ? "linear-gaussian" : "");
  if (!arguments.run.empty()) comparison.add(of_run(arguments.run), arguments.run_repetitions, "trained");
}

}  // namespace
}  // namespace whence::bench

int main(int argc, char** argv) {
  whence::bench::Arguments arguments;
  CLI::App program("Compares the estimators of the information flow on problems whose flow is known.");
  program.add_option("--run", arguments.run, "A run folder: also compares on its trained generator")
      ->type_name("RUN");
  program.add_option("--out", arguments.out, "Where tables.md and the figures go")->capture_default_str();
  program.add_option("--repetitions", arguments.repetitions, "On the linear-Gaussian map")
      ->check(CLI::Range(2, 1'000'000))
      ->capture_default_str();
  program.add_option("--run-repetitions", arguments.run_repetitions, "On the run")
      ->check(CLI::Range(2, 1'000'000))
      ->capture_default_str();
  program.add_option("--threads", arguments.threads, "0 uses every core")->capture_default_str();
  program.add_flag("--quick", arguments.quick, "One problem, few repetitions: shows that it runs");
  CLI11_PARSE(program, argc, argv);
  try {
    whence::cli::start_with_fast_libraries();
    whence::use_threads(arguments.threads);
    whence::keep_freed_memory();
    whence::bench::compare(arguments);
  } catch (const std::exception& error) {
    std::cerr << "bench_estimators: " << whence::sentence_of(error) << "\n";
    return 1;
  }
}
