// whence run | train | report: stages of a recipe in a run folder.
#include "commands.h"
#include "setup.h"
#include "whence/core/error.h"
#include "whence/core/files.h"
#include "whence/run/pipeline.h"

#include <iostream>

namespace whence::cli {
namespace {

struct RunArguments {
  std::string target, out;
  std::vector<std::string> settings;
  bool force = false, quiet = false, json = false;
};

void add_arguments(CLI::App& command, RunArguments& arguments) {
  command.add_option("target", arguments.target, "A recipe (TOML) or the folder of an earlier run")
      ->required()
      ->type_name("RECIPE|RUN");
  command
      .add_option("--set", arguments.settings, "Changes a recipe value: section.key=value; may be repeated")
      ->type_name("KEY=VALUE")
      ->expected(1)
      ->take_all();
  command.add_option("--out", arguments.out, "The run folder (default: the recipe's own path under runs/)")
      ->type_name("DIR");
  command.add_flag("--force", arguments.force, "Replaces what another recipe made in the folder");
  command.add_flag("--quiet", arguments.quiet, "Shows no progress");
}

/// Errors of an interrupted run say how to go on.
void run_target(const RunArguments& arguments, const run::PipelineOptions& options) {
  const run::Target target = run::find_target(arguments.target, arguments.settings, arguments.out);
  set_up(target.recipe.run.threads);
  run::Session session(target.recipe, run::RunFolder(target.folder));
  run::Display display(arguments.quiet ? run::DisplayStyle::silent : run::style_for(stderr), stderr);
  try {
    run::run_stages(session, options, display);
  } catch (const Error& error) {
    display.finish();
    if (error.code() != ExitCode::interrupted) throw;
    throw Error("interrupted; the same command goes on from here", ExitCode::interrupted);
  } catch (...) {
    display.finish();
    throw;
  }
  if (arguments.json) {
    std::cout << read_json(session.folder() / "metrics.json").dump(2) << "\n";
  } else {
    const char* result = options.last == "report" ? "report.html" : "metrics.json";
    std::cout << (session.folder() / result).string() << "\n";
  }
}

CLI::App* add(CLI::App& program, const std::string& name, const std::string& purpose,
              const std::vector<std::string>& examples, const run::PipelineOptions& stages, Command& chosen) {
  CLI::App* command = add_command(program, name, purpose, examples);
  auto arguments = std::make_shared<RunArguments>();
  add_arguments(*command, *arguments);
  command->add_flag("--json", arguments->json, "Prints metrics.json instead of where the result is");
  command->callback([&chosen, arguments, stages] {
    chosen = [arguments, stages] {
      run::PipelineOptions options = stages;
      options.force = arguments->force;
      run_target(*arguments, options);
    };
  });
  return command;
}

}  // namespace

void add_run(CLI::App& program, Command& chosen) {
  add(program, "run", "Does everything a recipe asks for; goes on where an interrupted run stopped",
      {"run recipes/gce/fmnist-034.toml",
       "run recipes/gce/fmnist-034.toml --set explanation.steps=2000 --out /tmp/short"},
      {}, chosen);
}

void add_train(CLI::App& program, Command& chosen) {
  run::PipelineOptions stages;
  stages.last = "explanation";
  add(program, "train", "Trains the classifier and the explanation of a recipe, and stops there",
      {"train recipes/gce/fmnist-034.toml", "train runs/gce/fmnist-034"}, stages, chosen);
}

void add_report(CLI::App& program, Command& chosen) {
  run::PipelineOptions stages;
  stages.first = "figures";
  stages.redo = {"figures", "report"};
  add(program, "report", "Draws the figures and the report of a run anew",
      {"report runs/gce/fmnist-034", "report runs/gce/fmnist-034 --set figures.probabilities=true"}, stages,
      chosen);
}

}  // namespace whence::cli
