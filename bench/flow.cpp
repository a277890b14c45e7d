// What an information flow of 200 x 200 samples costs for every factor of a trained explanation, and how far the
// faster number format and draws that the factors share move it.
#include <CLI/CLI.hpp>
#include <chrono>
#include <iostream>

#include "cli/fast_start.h"
#include "kinds/gce/gce.h"
#include "kinds/kinds.h"
#include "whence/core/error.h"
#include "whence/explain/flow/information_flow.h"
#include "whence/platform/machine.h"

namespace whence::bench {
namespace {

struct Measured {
  flow::FlowReport report;
  double seconds = 0;
};

Measured measure(experiment::Session& session, Precision precision, const flow::FlowOptions& options) {
  const auto decoder = session.decoder(precision);
  const auto classifier = session.classifier(precision);
  const auto start = std::chrono::steady_clock::now();
  Measured measured;
  measured.report =
      flow::measure_flow(*decoder, *classifier, kinds::causal(session), options, session.seed());
  measured.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return measured;
}

std::string line_of(const flow::FlowReport& report) {
  std::string line =
      fmt::format(" {:.4f} +- {:.4f} | {:.4f} |", report.alpha.nats, report.alpha.se, report.beta.nats);
  for (const flow::FactorFlow& factor : report.factors) line += fmt::format(" {:.4f} |", factor.flow.nats);
  return line;
}

void print_table(experiment::Session& session, const flow::FlowOptions& options, bool narrow) {
  std::string head = "| factors | seconds | alpha | beta |", rule = "|---|---|---|---|";
  for (const std::string& name : kinds::factor_names(session)) {
    head += fmt::format(" {} |", name);
    rule += "---|";
  }
  fmt::print("{}\n{}\n", head, rule);
  std::vector<Precision> precisions = {Precision::float32};
  if (narrow) precisions.push_back(Precision::bfloat16);
  for (const Precision precision : precisions) {
    for (const flow::FactorDraws draws : {flow::FactorDraws::own, flow::FactorDraws::shared}) {
      flow::FlowOptions chosen = options;
      chosen.factors = draws;
      const Measured measured = measure(session, precision, chosen);
      fmt::print("| {}, {} draws | {:.1f} |{}\n", name_of(precision), name_of(draws), measured.seconds,
                 line_of(measured.report));
      std::fflush(stdout);
    }
  }
}

}  // namespace
}  // namespace whence::bench

int main(int argc, char** argv) {
  using namespace whence;
  CLI::App program{"Times the information flow of every factor.", "bench_flow"};
  std::string run;
  int threads = 0;
  flow::FlowOptions options{
      .outer = 200, .inner = 200, .estimator = {.outer_draws = flow::Placement::stratified}};
  program.add_option("run", run, "The folder of a finished run")->required();
  program.add_option("--threads", threads, "0: every core");
  program.add_option("--outer", options.outer, "Draws of the factors");
  program.add_option("--inner", options.inner, "Draws of the rest for each");
  CLI11_PARSE(program, argc, argv);
  cli::start_with_fast_libraries();
  use_threads(threads);
  keep_freed_memory();
  const Machine machine = describe_machine();
  fmt::print("{} ({}), {} threads, LibTorch {}; {}x{} samples\n\n", machine.processor,
             machine.vector_extensions, machine.threads, machine.libtorch, options.outer, options.inner);
  try {
    experiment::Session session = experiment::open_session(kinds::kinds(), run);
    bench::print_table(session, options, machine.bfloat16);
  } catch (const Error& error) {
    std::cerr << "bench_flow: " << error.what() << "\n";
    return 1;
  }
  fmt::print("\npeak memory: {} MiB\n", peak_memory_bytes() >> 20);
  return 0;
}
