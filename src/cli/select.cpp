// whence select: chooses K, L and lambda.
#include <iostream>

#include "cli/commands.h"
#include "cli/options.h"
#include "cli/setup.h"
#include "experiment/session.h"
#include "kinds/gce/selection.h"
#include "kinds/kinds.h"
#include "whence/core/error.h"
#include "whence/core/files.h"

namespace whence::cli {
namespace {

namespace fs = std::filesystem;

struct SelectArguments {
  std::string target, out, rule = "standard-error", samples = "200x200";
  std::vector<std::string> settings;
  std::vector<std::int64_t> latents;
  std::optional<double> plateau, errors, distance, first_lambda, lambda_step, lambda_factor, least_lambda,
      most_lambda, hopeless, pilot;
  std::optional<int> patience;
  std::int64_t steps = kinds::SelectionRequest{}.steps;
  double budget = 0;
  bool fresh = false, force = false, quiet = false, json = false;
};

const std::map<std::string, gce::SelectionRule>& rules() {
  static const std::map<std::string, gce::SelectionRule> table = [] {
    std::map<std::string, gce::SelectionRule> names;
    using enum gce::SelectionRule;
    for (const gce::SelectionRule rule : {gce_b, gce_c, standard_error})
      names.emplace(gce::name_of(rule), rule);
    return names;
  }();
  return table;
}

kinds::SelectionRequest request_of(const SelectArguments& arguments) {
  kinds::SelectionRequest request;
  request.rules = gce::selection_options(rules().at(arguments.rule));
  const auto take = [](const std::optional<double>& given, double& value) { value = given.value_or(value); };
  take(arguments.plateau, request.rules.plateau);
  take(arguments.errors, request.rules.errors);
  take(arguments.distance, request.rules.distance);
  take(arguments.first_lambda, request.rules.first_lambda);
  take(arguments.lambda_step, request.rules.lambda_step);
  take(arguments.lambda_factor, request.rules.lambda_factor);
  take(arguments.least_lambda, request.rules.least_lambda);
  take(arguments.most_lambda, request.rules.most_lambda);
  take(arguments.hopeless, request.rules.hopeless);
  take(arguments.pilot, request.pilot);
  request.rules.patience = arguments.patience.value_or(request.rules.patience);
  if (!arguments.latents.empty()) request.rules.latents = arguments.latents;
  const Counts samples = parse_samples(arguments.samples);
  request.outer = samples.outer;
  request.inner = samples.inner;
  request.steps = arguments.steps;
  request.budget_seconds = 60 * arguments.budget;
  request.warm_start = !arguments.fresh;
  request.force = arguments.force;
  return request;
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
  if (!selection.complete) std::cout << "the budget ended the search; a larger one goes on from here\n";
  std::cout << "\n"
            << kinds::table_of(selection) << "\n"
            << (folder / "recipe.toml").string() << "\n"
            << (folder / "report.html").string() << "\n";
}

void select(const SelectArguments& arguments) {
  const kinds::SelectionRequest request = request_of(arguments);
  const experiment::Target target =
      experiment::find_target(kinds::kinds(), arguments.target, arguments.settings, {});
  const fs::path folder = folder_of(arguments, target);
  set_up(target.recipe.get<experiment::RunOptions>().threads);
  experiment::Display display(
      arguments.quiet ? experiment::DisplayStyle::silent : experiment::style_for(stderr), stderr);
  try {
    const kinds::Selection selection = kinds::run_selection(target.recipe, folder, request, display);
    display.finish();
    if (arguments.json) {
      std::cout << read_json(folder / "selection.json").dump(2) << "\n";
    } else {
      print(selection, folder);
    }
  } catch (const Error& error) {
    display.finish();
    if (error.code() != ExitCode::interrupted) throw;
    throw Error("interrupted; the same command goes on from here", ExitCode::interrupted);
  } catch (...) {
    display.finish();
    throw;
  }
}

void add_search_options(CLI::App& command, SelectArguments& arguments) {
  const auto option = [&](const std::string& name, auto& value, const std::string& purpose,
                          const char* type) {
    return command.add_option(name, value, purpose)->type_name(type);
  };
  option("--rule", arguments.rule,
         "How plateaus and lambda are judged: GCE-B's, GCE-C's reading of Algorithm 1, or ours", "NAME")
      ->transform(CLI::IsMember(rules()))
      ->capture_default_str();
  option("--latents", arguments.latents, "The numbers of latents K + L to try, rising, such as 2,4,6,8",
         "N,N,...")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->check(whole_number(1, 4096));
  option("--plateau", arguments.plateau,
         "Relative improvement below which a value is on its plateau (default 0.01; gce-c 0)", "SHARE")
      ->check(number(0.0, 1.0));
  option("--errors", arguments.errors,
         "Standard errors that an improvement must exceed (default 1.96; gce-b and gce-c 0)", "N")
      ->check(number(0.0, 100.0));
  option("--distance", arguments.distance,
         "How far SSE + KL may be from the autoencoder's, relatively (default 0.06; gce-b and gce-c 0.05)",
         "SHARE")
      ->check(number(0.0, 1.0));
  option("--first-lambda", arguments.first_lambda, "The first lambda (default 0.05; gce-c 0.001)", "X")
      ->check(number_above_zero());
  option("--lambda-step", arguments.lambda_step, "What lambda grows by, of gce-b (default 0.01)", "X")
      ->check(number_above_zero());
  option("--lambda-factor", arguments.lambda_factor,
         "What lambda is multiplied by, of the others (default 3.16)", "X")
      ->check(number(1.02, 1e6));
  option("--least-lambda", arguments.least_lambda,
         "No smaller one is tried, of standard-error (default 0.0001)", "X")
      ->check(number_above_zero());
  option("--most-lambda", arguments.most_lambda, "No larger one is tried (default 10; gce-b 1)", "X")
      ->check(number_above_zero());
  option(
      "--patience", arguments.patience,
      "Numbers of latents in a row without an improvement that make a plateau (default 2; gce-b and gce-c 1)",
      "N")
      ->check(whole_number(1, 100));
  option("--pilot", arguments.pilot,
         "Share of the steps after which hopeless settings are given up (default 0.25)", "SHARE")
      ->check(number(0.01, 0.99));
  option("--hopeless", arguments.hopeless, "How many distances away a pilot is hopeless (default 4)", "X")
      ->check(number_above_zero());
  option("--steps", arguments.steps, "Steps of each training", "N")
      ->check(whole_number(4, 1'000'000'000))
      ->capture_default_str();
  option("--samples", arguments.samples, "Draws of alpha, and of beta for each, that measure C", "NxN")
      ->capture_default_str();
  option("--budget", arguments.budget, "Minutes that all settings may take; 0: as long as it takes",
         "MINUTES")
      ->check(number(0));
  command.add_flag("--fresh", arguments.fresh,
                   "Trains every setting from random weights instead of the autoencoder's");
}

}  // namespace

void add_select(CLI::App& program, Command& chosen) {
  CLI::App* command =
      add_command(program, "select", "Chooses K, L and lambda, and writes the recipe with them",
                  {"select recipes/gce/mnist-38.toml --budget 30",
                   "select recipes/gce/fmnist-034.toml --rule gce-b --distance 0.06 --steps 3000 --fresh "
                   "--out /tmp/gce-b"});
  auto arguments = std::make_shared<SelectArguments>();
  command->add_option("target", arguments->target, "A recipe (TOML) or the folder of a run")
      ->required()
      ->type_name("RECIPE|RUN");
  command
      ->add_option("--set", arguments->settings, "Changes a recipe value: section.key=value; may be repeated")
      ->type_name("KEY=VALUE")
      ->expected(1)
      ->allow_extra_args(false)
      ->take_all();
  command
      ->add_option("--out", arguments->out,
                   "The folder of the selection (default: the run's with -selection)")
      ->type_name("DIR");
  add_search_options(*command, *arguments);
  command->add_flag("--force", arguments->force, "Replaces what another recipe made in the folder");
  command->add_flag("--quiet", arguments->quiet, "Shows no progress");
  command->add_flag("--json", arguments->json, "Prints selection.json instead of the table");
  command->callback([&chosen, arguments] { chosen = [arguments] { select(*arguments); }; });
}

}  // namespace whence::cli
