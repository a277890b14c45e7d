// whence run | train | report: stages of a recipe in a run folder.
#include "cli/commands.h"
#include "cli/options.h"
#include "cli/setup.h"
#include "experiment/compare.h"
#include "experiment/pipeline.h"
#include "experiment/seeds.h"
#include "experiment/stages.h"
#include "kinds/kinds.h"
#include "whence/core/error.h"
#include "whence/core/files.h"

#include <iostream>

namespace whence::cli {
namespace {

struct RunArguments {
  std::string target, out;
  std::vector<std::string> settings;
  bool force = false, quiet = false, json = false;
  std::optional<std::int64_t> seeds;
  std::vector<std::string> compared;
};

void add_arguments(CLI::App& command, RunArguments& arguments) {
  command.add_option("target", arguments.target, "A recipe (TOML) or the folder of an earlier run")
      ->type_name("RECIPE|RUN");
  add_settings(command, arguments.settings);
  command.add_option("--out", arguments.out, "The run folder (default: the recipe's own path under runs/)")
      ->type_name("DIR");
  command.add_flag("--force", arguments.force, "Replaces what another recipe made in the folder");
  command.add_flag("--quiet", arguments.quiet, "Shows no progress");
}

/// `data`, a JSON file, is printed where JSON is asked for.
void print_result(const RunArguments& arguments, const std::filesystem::path& data,
                  const std::filesystem::path& result) {
  std::cout << (arguments.json ? read_json(data).dump(2) : result.string()) << "\n";
}

/// Where `options.last` is "", up to the last training.
void run_target(const RunArguments& arguments, experiment::PipelineOptions options) {
  const experiment::Target target =
      experiment::find_target(kinds::kinds(), arguments.target, arguments.settings, arguments.out);
  set_up(target.recipe.get<experiment::RunOptions>().threads);
  if (options.last.empty())
    options.last = experiment::last_training(*target.recipe.kinds, target.recipe.values);
  experiment::Session session(target.recipe, experiment::RunFolder(target.folder));
  work_with_display(arguments.quiet,
                    [&](experiment::Display& display) { experiment::run_stages(session, options, display); });
  const std::filesystem::path metrics = session.folder() / "metrics.json";
  print_result(arguments, metrics, options.last == "report" ? session.folder() / "report.html" : metrics);
}

void run_with_seeds(const RunArguments& arguments) {
  const experiment::Target target =
      experiment::find_target(kinds::kinds(), arguments.target, arguments.settings, arguments.out);
  set_up(target.recipe.get<experiment::RunOptions>().threads);
  work_with_display(arguments.quiet, [&](experiment::Display& display) {
    const auto runs =
        experiment::run_seeds(target.recipe, target.folder, *arguments.seeds, arguments.force, display);
    const experiment::SeedSpread spread(target.recipe, runs);
    write_json(target.folder / "seeds.json", experiment::summary_of(spread, target.folder));
    experiment::report_seeds(spread, target.folder);
  });
  print_result(arguments, target.folder / "seeds.json", target.folder / "report.html");
}

void compare(const RunArguments& arguments) {
  if (!arguments.target.empty()) fail_usage("give all runs behind --compare");
  const std::filesystem::path page = std::filesystem::path(arguments.out) / "comparison.html";
  experiment::compare_runs(kinds::kinds(), {arguments.compared.begin(), arguments.compared.end()}, page);
  std::cout << page.string() << "\n";
}

std::shared_ptr<RunArguments> add(CLI::App& program, const std::string& name, const std::string& purpose,
                                  const std::vector<std::string>& examples,
                                  const experiment::PipelineOptions& stages, Command& chosen) {
  CLI::App* command = add_command(program, name, purpose, examples);
  auto arguments = std::make_shared<RunArguments>();
  add_arguments(*command, *arguments);
  command->add_flag("--json", arguments->json, "Prints metrics.json instead of where the result is");
  command->callback([&chosen, arguments, stages, name] {
    chosen = [arguments, stages, name] {
      experiment::PipelineOptions options = stages;
      options.force = arguments->force;
      if (!arguments->compared.empty()) return compare(*arguments);
      if (arguments->target.empty()) fail_usage("give a recipe or a run folder; see whence {} --help", name);
      if (arguments->seeds)
        run_with_seeds(*arguments);
      else
        run_target(*arguments, options);
    };
  });
  return arguments;
}

}  // namespace

void add_run(CLI::App& program, Command& chosen) {
  const auto arguments =
      add(program, "run", "Does everything a recipe asks for; continues an interrupted run",
          {"run recipes/gce/fmnist-034.toml",
           "run recipes/gce/fmnist-034.toml --set explanation.steps=2000 --out /tmp/short",
           "run recipes/gce/fmnist-034.toml --seeds 3"},
          {}, chosen);
  program.get_subcommand("run")
      ->add_option("--seeds", arguments->seeds,
                   "Runs it with N seeds, each in its own folder, compares their causes, and reports the "
                   "spread of the metrics")
      ->type_name("N")
      ->check(whole_number(2, 1000));
}

void add_train(CLI::App& program, Command& chosen) {
  experiment::PipelineOptions stages;
  stages.last = "";
  add(program, "train", "Trains the classifier and the explanation of a recipe, and stops there",
      {"train recipes/gce/fmnist-034.toml", "train runs/gce/fmnist-034"}, stages, chosen);
}

void add_report(CLI::App& program, Command& chosen) {
  experiment::PipelineOptions stages;
  stages.first = "figures";
  stages.redo = {"figures", "report"};
  const auto arguments =
      add(program, "report", "Draws the figures and the report of a run again, or compares several runs",
          {"report runs/gce/fmnist-034", "report runs/gce/fmnist-034 --set figures.probabilities=true",
           "report --compare runs/gce/mnist-38 runs/three/seed-*"},
          stages, chosen);
  program.get_subcommand("report")
      ->add_option("--compare", arguments->compared,
                   "Run folders: one page with their metrics side by side, the spread over seeds in one "
                   "column; goes to "
                   "--out (default: here) as comparison.html")
      ->type_name("RUN...");
}

}  // namespace whence::cli
