// What each family of whence's own kernels brings over LibTorch in the main jobs, in one process, in turn.
#include <CLI/CLI.hpp>

#include <algorithm>

#include "cli/fast_start.h"
#include "kernels_jobs.h"
#include "whence/platform/machine.h"
#include "workshop.h"

namespace whence::bench {
namespace {

using nn::KernelFamily;

/// What a row switches: `own` is on one side, `library` on the other; each names the families that are off.
struct Comparison {
  std::string name;
  std::vector<KernelFamily> own_off, library_off;
};

std::vector<Comparison> comparisons_of(const Job& job) {
  std::vector<Comparison> all;
  for (const KernelFamily family : job.families) {
    all.push_back({std::string(nn::name_of(family)), {}, {family}});
    if (family == KernelFamily::bf16_transposed_convolution)
      all.push_back({"subpixel", {family}, {family, KernelFamily::subpixel}});
  }
  if (job.families.size() > 1) {
    all.push_back({"both convolutions", {}, job.families});
    all.push_back({"both convolutions and subpixel", {}, job.families});
    all.back().library_off.push_back(KernelFamily::subpixel);
  }
  return all;
}

Cost run_without(const Job& job, const std::vector<KernelFamily>& off) {
  for (const KernelFamily family : off) nn::use(family, false);
  const Cost cost = job.run();
  for (const KernelFamily family : off) nn::use(family, true);
  return cost;
}

std::string median_and_range(const std::vector<double>& ratios) {
  const auto [least, most] = std::minmax_element(ratios.begin(), ratios.end());
  return fmt::format("{:.2f} ({:.2f} to {:.2f})", median(ratios), *least, *most);
}

/// One run of either side comes first and is not counted.
void print_row(const Job& job, const Comparison& comparison, int pairs) {
  std::vector<double> own, library, ratios, of_processor;
  for (int pair = -1; pair < pairs; ++pair) {
    const Cost of_own = run_without(job, comparison.own_off);
    const Cost of_library = run_without(job, comparison.library_off);
    if (pair < 0) continue;
    own.push_back(of_own.seconds);
    library.push_back(of_library.seconds);
    ratios.push_back(of_library.seconds / of_own.seconds);
    of_processor.push_back(of_library.processor / of_own.processor);
  }
  fmt::print("| {} | {} | {} | {:.1f} | {:.1f} | {} | {} |\n", job.name, name_of(job.precision),
             comparison.name, 1e3 * median(own), 1e3 * median(library), median_and_range(ratios),
             median_and_range(of_processor));
  std::fflush(stdout);
}

}  // namespace
}  // namespace whence::bench

int main(int argc, char** argv) {
  using namespace whence;
  CLI::App program{"Compares whence's own kernels with LibTorch's, by family.", "bench_kernels"};
  int threads = 0, pairs = 7;
  std::string wanted, format, family;
  program.add_option("--threads", threads, "0: every core");
  program.add_option("--pairs", pairs, "Runs of each side")->check(CLI::PositiveNumber);
  program.add_option("--job", wanted, "Only jobs whose name holds this");
  program.add_option("--format", format, "Only this one")->check(CLI::IsMember({"bfloat16", "float32"}));
  program.add_option("--family", family, "Only rows whose family holds this");
  CLI11_PARSE(program, argc, argv);
  cli::start_with_fast_libraries();
  use_threads(threads);
  keep_freed_memory();
  const Machine machine = describe_machine();
  fmt::print("{} ({}), {} threads, LibTorch {}; {} pairs\n\n", machine.processor, machine.vector_extensions,
             machine.threads, machine.libtorch, pairs);
  fmt::print(
      "| job | format | family | own, ms | library, ms | library / own | processor time "
      "|\n|---|---|---|---|---|---|---|\n");
  std::vector<Precision> precisions = {Precision::float32};
  if (machine.bfloat16) precisions.insert(precisions.begin(), Precision::bfloat16);
  for (const Precision precision : precisions) {
    if (!format.empty() && name_of(precision) != format) continue;
    for (const bench::Job& job : bench::main_jobs(precision)) {
      if (job.name.find(wanted) == std::string::npos) continue;
      for (const bench::Comparison& comparison : bench::comparisons_of(job))
        if (comparison.name.find(family) != std::string::npos) bench::print_row(job, comparison, pairs);
    }
  }
  return 0;
}
