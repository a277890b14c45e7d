// whence linear-gaussian: problems with known causes.
#include "kinds/gce/linear_gaussian.h"

#include <iostream>

#include "cli/commands.h"
#include "cli/flags.h"
#include "cli/setup.h"
#include "experiment/folder.h"
#include "experiment/metrics.h"
#include "whence/core/error.h"

namespace whence::cli {
namespace {

struct LinearGaussianArguments {
  std::string recipe, out;
  bool json = false, reference = false;
};

std::vector<config::Key> linear_gaussian_keys() {
  using namespace config;
  using A = LinearGaussianArguments;
  using Problems = kinds::LinearGaussianRequest;
  return {{"out", Text{at(&A::out)}, "DIR",
           "Folder of report, figures and metrics (default: the recipe's own path under runs/)"},
          {"trainings", Integer{at(&Problems::trainings), 1, 1000}, "",
           "Of each problem, each from another start"},
          {"seed", Integer{at(&Problems::seed), 0, std::numeric_limits<std::int64_t>::max()}, "",
           "Of the first training"},
          {"json", Toggle{at(&A::json)}, "", "Prints JSON"},
          {"reference", Toggle{at(&A::reference)}, "", "Prints the reference of the file's keys"}};
}

void print(const kinds::LinearGaussianResult& result) {
  const experiment::Spread flow = experiment::spread_of(result.flows),
                           angle = experiment::spread_of(result.angles);
  std::cout << fmt::format(
      "{:<32} C {:.4f} nats ({:.4f} where W fits exactly), off by {:.2f} degrees ({:.2f} to {:.2f})\n",
      result.title, flow.median, result.best_flow, angle.median, angle.least, angle.most);
}

void linear_gaussian(config::Values& values) {
  const auto& arguments = values.get<LinearGaussianArguments>();
  auto& request = values.get<kinds::LinearGaussianRequest>();
  if (arguments.reference) {
    std::cout << kinds::linear_gaussian_reference();
    return;
  }
  if (arguments.recipe.empty())
    fail_usage(
        "give a file of problems, such as recipes/gce/linear-gaussian.toml, or --reference for its keys");
  const kinds::LinearGaussianRecipe recipe = kinds::load_linear_gaussian(arguments.recipe);
  request.folder = arguments.out.empty() ? experiment::default_folder(arguments.recipe)
                                         : std::filesystem::path(arguments.out);
  set_up(1);
  const auto results = kinds::run_linear_gaussian(recipe, request, show_progress());
  if (arguments.json) {
    std::cout << kinds::to_json(results).dump(2) << "\n";
    return;
  }
  for (const kinds::LinearGaussianResult& result : results) print(result);
  std::cout << (request.folder / "report.html").string() << "\n";
}

}  // namespace

void add_linear_gaussian(CLI::App& program, Command& chosen) {
  CLI::App* command = add_command(
      program, "linear-gaussian", "Learns linear generators for classifiers with known causes, and compares",
      {"linear-gaussian recipes/gce/linear-gaussian.toml",
       "linear-gaussian recipes/gce/linear-gaussian.toml --trainings 20 --out /tmp/check --json"});
  auto values = std::make_shared<config::Values>();
  command->add_option("recipe", values->get<LinearGaussianArguments>().recipe, "The problems (TOML)")
      ->type_name("RECIPE");
  add_flags(*command, linear_gaussian_keys(), values);
  command->callback([&chosen, values] { chosen = [values] { linear_gaussian(*values); }; });
}

}  // namespace whence::cli
