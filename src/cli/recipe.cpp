// whence recipe: checks a recipe, or prints the reference of all keys.
#include "experiment/recipe.h"

#include <iostream>

#include "cli/commands.h"
#include "cli/setup.h"
#include "kinds/kinds.h"
#include "whence/core/error.h"

namespace whence::cli {

void add_recipe(CLI::App& program, Command& chosen) {
  CLI::App* command = add_command(program, "recipe",
                                  "Checks a recipe and prints all its values, or the reference of all keys",
                                  {"recipe recipes/gce/fmnist-034.toml", "recipe --reference"});
  struct Arguments {
    std::string file;
    std::vector<std::string> settings;
    bool reference = false;
  };
  auto arguments = std::make_shared<Arguments>();
  command->add_option("recipe", arguments->file, "A recipe to check, or a run folder whose recipe is")
      ->type_name("RECIPE|RUN");
  add_settings(*command, arguments->settings);
  command->add_flag("--reference", arguments->reference, "Prints docs/recipes.md");
  command->callback([&chosen, arguments] {
    chosen = [arguments] {
      if (arguments->reference) {
        std::cout << experiment::recipe_reference(kinds::kinds());
      } else if (arguments->file.empty()) {
        fail_usage("give a recipe to check, or --reference for all keys");
      } else {
        const std::filesystem::path given = arguments->file;
        const std::filesystem::path file =
            std::filesystem::is_directory(given) ? given / "recipe.toml" : given;
        std::cout << experiment::to_toml(experiment::load_recipe(kinds::kinds(), file, arguments->settings));
      }
    };
  });
}

}  // namespace whence::cli
