// The subcommands: each add_... declares one with its options and leaves in `chosen` what to do when it is
// the one.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <string>

namespace whence::cli {

using Command = std::function<void()>;

void add_run(CLI::App& program, Command& chosen);
void add_train(CLI::App& program, Command& chosen);
void add_report(CLI::App& program, Command& chosen);
void add_flow(CLI::App& program, Command& chosen);
void add_sweep(CLI::App& program, Command& chosen);
void add_ablate(CLI::App& program, Command& chosen);
void add_attribute(CLI::App& program, Command& chosen);
void add_counterfactual(CLI::App& program, Command& chosen);
void add_causes(CLI::App& program, Command& chosen);
void add_modules(CLI::App& program, Command& chosen);
void add_visualize(CLI::App& program, Command& chosen);
void add_morph(CLI::App& program, Command& chosen);
void add_translate(CLI::App& program, Command& chosen);
void add_trust(CLI::App& program, Command& chosen);
void add_merge(CLI::App& program, Command& chosen);
void add_select(CLI::App& program, Command& chosen);
void add_linear_gaussian(CLI::App& program, Command& chosen);
void add_curves(CLI::App& program, Command& chosen);
void add_data(CLI::App& program, Command& chosen);
void add_import(CLI::App& program, Command& chosen);
void add_explore(CLI::App& program, Command& chosen);
void add_export(CLI::App& program, Command& chosen);
void add_recipe(CLI::App& program, Command& chosen);
void add_completion(CLI::App& program, Command& chosen);

/// A subcommand with examples at the end of its help; an example is what stands after "whence ".
CLI::App* add_command(CLI::App& program, const std::string& name, const std::string& purpose,
                      const std::vector<std::string>& examples);

}  // namespace whence::cli
