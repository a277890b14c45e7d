// whence linear-gaussian: experiments whose answer is known.
#include "kinds/gce/linear_gaussian.h"

#include <iostream>

#include "cli/commands.h"
#include "cli/options.h"
#include "cli/setup.h"
#include "experiment/folder.h"
#include "experiment/metrics.h"
#include "whence/core/error.h"

namespace whence::cli {
namespace {

struct LinearGaussianArguments {
  std::string recipe, out;
  std::int64_t trainings = 5;
  std::uint64_t seed = 0;
  bool json = false, reference = false;
};

void print(const kinds::LinearGaussianResult& result) {
  const experiment::Spread flow = experiment::spread_of(result.flows),
                           angle = experiment::spread_of(result.angles);
  std::cout << fmt::format(
      "{:<32} C {:.4f} nats ({:.4f} where W fits exactly), off by {:.2f} degrees ({:.2f} to {:.2f})\n",
      result.title, flow.median, result.best_flow, angle.median, angle.least, angle.most);
}

void linear_gaussian(const LinearGaussianArguments& arguments) {
  if (arguments.reference) {
    std::cout << kinds::linear_gaussian_reference();
    return;
  }
  if (arguments.recipe.empty())
    fail_usage(
        "give a file of problems, such as recipes/gce/linear-gaussian.toml, or --reference for its keys");
  const kinds::LinearGaussianRecipe recipe = kinds::load_linear_gaussian(arguments.recipe);
  const std::filesystem::path out = arguments.out.empty() ? experiment::default_folder(arguments.recipe)
                                                          : std::filesystem::path(arguments.out);
  set_up(1);
  const auto results = kinds::run_linear_gaussian(
      recipe, {.folder = out, .trainings = arguments.trainings, .seed = arguments.seed}, show_progress());
  if (arguments.json) {
    std::cout << kinds::to_json(results).dump(2) << "\n";
    return;
  }
  for (const kinds::LinearGaussianResult& result : results) print(result);
  std::cout << (out / "report.html").string() << "\n";
}

}  // namespace

void add_linear_gaussian(CLI::App& program, Command& chosen) {
  CLI::App* command = add_command(
      program, "linear-gaussian",
      "Learns linear generators for classifiers whose causes are known, and compares",
      {"linear-gaussian recipes/gce/linear-gaussian.toml",
       "linear-gaussian recipes/gce/linear-gaussian.toml --trainings 20 --out /tmp/check --json"});
  auto arguments = std::make_shared<LinearGaussianArguments>();
  command->add_option("recipe", arguments->recipe, "The problems (TOML)")->type_name("RECIPE");
  command
      ->add_option("--out", arguments->out,
                   "Folder of report, figures and metrics (default: the recipe's own path under runs/)")
      ->type_name("DIR");
  command->add_option("--trainings", arguments->trainings, "Of each problem, each from another start")
      ->check(whole_number(1, 1000))
      ->capture_default_str();
  command->add_option("--seed", arguments->seed, "Of the first training")->capture_default_str();
  command->add_flag("--json", arguments->json, "Prints JSON");
  command->add_flag("--reference", arguments->reference, "Prints what may stand in the file");
  command->callback([&chosen, arguments] { chosen = [arguments] { linear_gaussian(*arguments); }; });
}

}  // namespace whence::cli
