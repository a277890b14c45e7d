// whence results: a page of results from run folders.
#include <fmt/ranges.h>

#include <iostream>

#include "commands.h"
#include "whence/core/error.h"
#include "whence/core/files.h"
#include "whence/results/write.h"
#include "whence/run/metrics.h"

namespace whence::cli {
namespace {

namespace fs = std::filesystem;

struct ResultsArguments {
  std::string page, runs = "runs", out, metrics;
  bool reference = false;
};

/// Every figure that a run has, by the name that a page may use.
void print_metrics(const fs::path& run) {
  const bool selection = fs::exists(run / "selection.json");
  const nlohmann::json metrics = read_json(run / (selection ? "selection.json" : "metrics.json"));
  for (const std::string& name : run::metric_names(metrics))
    if (const std::optional<double> value = run::metric(metrics, name))
      std::cout << fmt::format("{:<56} {:.6g}\n", name, *value);
}

void write_page(const ResultsArguments& arguments) {
  const results::Page page = results::load_page(arguments.page);
  if (!fs::is_directory(arguments.runs))
    fail_usage("there is no folder of runs {}; name it with --runs", arguments.runs);
  const fs::path out =
      arguments.out.empty() ? fs::path(arguments.page).replace_extension(".md") : fs::path(arguments.out);
  const results::Written written = results::write_results(page, arguments.runs, out);
  std::cout << fmt::format("{}: bars: {} reached, {} missed, {} not measured yet\n", out.string(),
                           written.tally.reached, written.tally.missed, written.tally.unmeasured);
  if (!written.recorded.empty())
    std::cout << fmt::format("from the page's record, as there are no folders of them: {}\n",
                             fmt::join(written.recorded, ", "));
  for (const fs::path& file : written.unused)
    std::cout << fmt::format("{} is not on the page; remove it if it is of an earlier one\n", file.string());
}

void results(const ResultsArguments& arguments) {
  if (arguments.reference) {
    std::cout << results::page_reference();
  } else if (!arguments.metrics.empty()) {
    print_metrics(arguments.metrics);
  } else if (arguments.page.empty()) {
    fail_usage("give a page of results (TOML), or --reference for what may stand in one");
  } else {
    write_page(arguments);
  }
}

}  // namespace

void add_results(CLI::App& program, Command& chosen) {
  CLI::App* command =
      add_command(program, "results", "Makes a page of results from run folders: figures, bars, pictures",
                  {"results docs/results.toml", "results mine.toml --runs /data/runs --out mine.md",
                   "results --metrics runs/gce/fmnist-034", "results --reference"});
  auto arguments = std::make_shared<ResultsArguments>();
  command->add_option("page", arguments->page, "What the page shows (TOML)")->type_name("PAGE");
  command->add_option("--runs", arguments->runs, "The folder that the page's run folders are in")
      ->type_name("DIR")
      ->capture_default_str();
  command->add_option("--out", arguments->out, "Where the page is written (default: PAGE with .md)")
      ->type_name("FILE.md");
  command
      ->add_option("--metrics", arguments->metrics, "Prints the figures of a run by the names a page may use")
      ->type_name("RUN");
  command->add_flag("--reference", arguments->reference,
                    "Prints what may stand in a page, and all named metrics");
  command->callback([&chosen, arguments] { chosen = [arguments] { results(*arguments); }; });
}

}  // namespace whence::cli
