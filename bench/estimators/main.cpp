// Compares the estimators of the information flow: bias and spread of value and gradient against passes. Writes the
// tables and figures of docs/estimators.md.
#include <CLI/CLI.hpp>
#include <iostream>

#include "compare.h"
#include "whence/core/error.h"
#include "whence/core/files.h"
#include "whence/core/machine.h"
#include "whence/report/figures.h"

namespace whence::bench {
namespace {

constexpr std::int64_t kPasses = 128;  ///< of the tables: what a training step spends

std::string table_of(const Problem& problem, const std::vector<Candidate>& all, std::int64_t repetitions) {
  std::string text = fmt::format(
      "### {}\n\nTrue flow {:.4f} nats; {} passes, {} repetitions.\n\n"
      "| estimator | bias | deviation | error | gradient's bias | gradient's error "
      "|\n|---|---|---|---|---|---|\n",
      problem.name, problem.truth.nats, kPasses, repetitions);
  for (const Candidate& candidate : all) {
    const Quality q = quality_of(problem, candidate, kPasses, repetitions);
    text += fmt::format("| {} | {:+.4f} | {:.4f} | {:.4f} | {:.3f} | {:.3f} |\n", candidate.name, q.bias,
                        q.deviation, q.error(), q.gradient_bias, q.gradient_error);
  }
  return text + "\n";
}

/// Error of value and of gradient against passes, a line an estimator.
void draw_errors(const Problem& problem, std::int64_t repetitions, const std::filesystem::path& stem) {
  using enum gce::Placement;
  using gce::Correction, gce::Sampling;
  const std::vector<Candidate> lines = {
      {"published: nested, no correction, 25 inner", {Sampling::nested, independent, Correction::none}, 25},
      {"nested, delta, 4 inner", {Sampling::nested, independent, Correction::delta}, 4},
      {"crossed, delta, 4 inner", {Sampling::crossed, independent, Correction::delta}, 4},
      {"nested, stratified, delta, 4 inner", {Sampling::nested, stratified, Correction::delta}, 4},
      {"crossed, stratified, delta, 4 inner", {Sampling::crossed, stratified, Correction::delta}, 4}};
  report::LineChart chart;
  chart.title = problem.name;
  chart.horizontal_axis = "passes through generator and classifier";
  chart.panels = {{"error of the value, nats", {}, true}, {"relative error of the gradient", {}, true}};
  for (const Candidate& line : lines) {
    report::Series value{line.name, {}, {}}, gradient{line.name, {}, {}};
    for (const std::int64_t passes : {100, 200, 400, 800, 1600, 2500}) {
      const Quality q = quality_of(problem, line, passes, repetitions);
      for (report::Series* series : {&value, &gradient}) series->x.push_back(static_cast<double>(passes));
      value.y.push_back(q.error());
      gradient.y.push_back(q.gradient_error);
    }
    chart.panels[0].series.push_back(value);
    chart.panels[1].series.push_back(gradient);
  }
  report::draw(chart, stem);
}

struct Arguments {
  std::string run, out = "docs/estimators";
  std::int64_t repetitions = 400, run_repetitions = 24;
};

void compare(const Arguments& arguments) {
  const std::filesystem::path out(arguments.out);
  std::filesystem::create_directories(out);
  const std::vector<Candidate> all = candidates();
  std::string tables = "# Measured by bench/estimators\n\n";
  const auto add = [&](const Problem& problem, std::int64_t repetitions) {
    std::cerr << problem.name << "\n";
    tables += table_of(problem, all, repetitions);
    write_file(out / "tables.md", tables);
  };
  for (const std::int64_t classes : {2, 3, 10})
    for (const std::int64_t causal : {1, 2, 3, 4})
      add(linear_gaussian(classes, causal), arguments.repetitions);
  draw_errors(linear_gaussian(3, 2), arguments.repetitions, out / "linear-gaussian");
  if (arguments.run.empty()) return;
  const Problem problem = of_run(arguments.run);
  add(problem, arguments.run_repetitions);
  draw_errors(problem, arguments.run_repetitions, out / "trained");
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
      ->capture_default_str();
  program.add_option("--run-repetitions", arguments.run_repetitions, "On the run")->capture_default_str();
  CLI11_PARSE(program, argc, argv);
  try {
    whence::use_threads(0);
    whence::bench::compare(arguments);
  } catch (const std::exception& error) {
    std::cerr << "bench_estimators: " << whence::sentence_of(error) << "\n";
    return 1;
  }
}
