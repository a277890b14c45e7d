// whence select: chooses K, L and lambda.
#include <iostream>

#include "cli/commands.h"
#include "cli/flags.h"
#include "cli/setup.h"
#include "experiment/session.h"
#include "kinds/gce/selection.h"
#include "kinds/gce/selection_keys.h"
#include "kinds/kinds.h"
#include "whence/core/error.h"
#include "whence/core/files.h"

namespace whence::cli {
namespace {

namespace fs = std::filesystem;

using gce::SelectionOptions;
using Request = kinds::SelectionRequest;

struct SelectArguments {
  std::string target, out;
  std::vector<std::string> settings;
  double budget = 0;  ///< minutes
  bool fresh = false, force = false, quiet = false, json = false;
};

std::vector<config::Key> select_keys() {
  using namespace config;
  std::vector<Key> keys = kinds::selection_keys();
  const std::vector<Key> own = {
      {"budget", Number{at(&SelectArguments::budget), 0, std::numeric_limits<double>::infinity()}, "minutes",
       "Time that all settings may take; 0: as long as it takes"},
      {"fresh", Toggle{at(&SelectArguments::fresh)}, "",
       "Trains every setting from random weights, not from the autoencoder"},
      {"force", Toggle{at(&SelectArguments::force)}, "", "Replaces what another recipe made in the folder"},
      {"quiet", Toggle{at(&SelectArguments::quiet)}, "", "Shows no progress"},
      {"json", Toggle{at(&SelectArguments::json)}, "", "Prints selection.json instead of the table"}};
  keys.insert(keys.end(), own.begin(), own.end());
  return keys;
}

/// runs/gce/mnist-38-selection beside the run itself.
fs::path folder_of(const SelectArguments& arguments, const experiment::Target& target) {
  if (!arguments.out.empty()) return arguments.out;
  fs::path folder = target.folder.lexically_normal();
  if (!folder.has_filename()) folder = folder.parent_path();
  return folder += "-selection";
}

void print(const kinds::Selection& selection, const fs::path& folder) {
  for (const std::string& reason : selection.decision.reasons) std::cout << reason << "\n";
  if (!selection.complete) std::cout << "the budget ended the search; continue with a larger one\n";
  std::cout << "\n"
            << kinds::table_of(selection) << "\n"
            << (folder / "recipe.toml").string() << "\n"
            << (folder / "report.html").string() << "\n";
}

void select(config::Values& values) {
  const auto& arguments = values.get<SelectArguments>();
  Request request = values.get<Request>();
  request.rules = values.get<SelectionOptions>();
  request.budget_seconds = 60 * arguments.budget;
  request.warm_start = !arguments.fresh;
  request.force = arguments.force;
  const experiment::Target target =
      experiment::find_target(kinds::kinds(), arguments.target, arguments.settings, {});
  const fs::path folder = folder_of(arguments, target);
  set_up(target.recipe.get<experiment::RunOptions>().threads);
  std::optional<kinds::Selection> selection;
  work_with_display(arguments.quiet, [&](experiment::Display& display) {
    selection = kinds::run_selection(target.recipe, folder, request, display);
  });
  if (arguments.json)
    std::cout << read_json(folder / "selection.json").dump(2) << "\n";
  else
    print(*selection, folder);
}

}  // namespace

void add_select(CLI::App& program, Command& chosen) {
  CLI::App* command =
      add_command(program, "select", "Chooses K, L and lambda, and writes the recipe with them",
                  {"select recipes/gce/mnist-38.toml --budget 30",
                   "select recipes/gce/fmnist-034.toml --rule relative --distance 0.06 --steps 3000 --fresh "
                   "--out /tmp/relative"});
  auto values = std::make_shared<config::Values>();
  values->get<SelectionOptions>() = gce::selection_options(SelectionOptions{}.rule);
  auto& arguments = values->get<SelectArguments>();
  command->add_option("target", arguments.target, "A recipe (TOML) or the folder of a run")
      ->required()
      ->type_name("RECIPE|RUN");
  add_settings(*command, arguments.settings);
  command
      ->add_option("--out", arguments.out, "The folder of the selection (default: the run's with -selection)")
      ->type_name("DIR");
  add_flags(*command, select_keys(), values);
  command->callback([&chosen, values] { chosen = [values] { select(*values); }; });
}

}  // namespace whence::cli
