// whence, the program: chooses the subcommand, and turns every error into one sentence and an exit code.
#include <cstdio>
#include <iostream>

#include "cli/commands.h"
#include "cli/fast_start.h"
#include "cli/options.h"
#include "experiment/version.h"
#include "whence/core/error.h"
#include "whence/core/names.h"
#include "whence/platform/interrupt.h"
#include "whence/platform/machine.h"

namespace whence::cli {
namespace {

std::string version_text() {
  start_with_fast_libraries();  // what it says of them is what a run has
  const Machine machine = describe_machine();
  return fmt::format("whence {}\nLibTorch {} in {}\nBLAS {}", experiment::version(), machine.libtorch,
                     machine.libtorch_folder, machine.blas);
}

void add_commands(CLI::App& program, Command& chosen) {
  add_run(program, chosen);
  add_train(program, chosen);
  add_flow(program, chosen);
  add_sweep(program, chosen);
  add_ablate(program, chosen);
  add_counterfactual(program, chosen);
  add_morph(program, chosen);
  add_translate(program, chosen);
  add_attribute(program, chosen);
  add_modules(program, chosen);
  add_causes(program, chosen);
  add_visualize(program, chosen);
  add_trust(program, chosen);
  add_merge(program, chosen);
  add_select(program, chosen);
  add_report(program, chosen);
  add_explore(program, chosen);
  add_linear_gaussian(program, chosen);
  add_curves(program, chosen);
  add_data(program, chosen);
  add_import(program, chosen);
  add_export(program, chosen);
  add_recipe(program, chosen);
  add_completion(program, chosen);
  check_outputs(program);
}

int say(const std::string& sentence, ExitCode code) {
  std::cerr << "whence: " << sentence << std::endl;
  return static_cast<int>(code);
}

/// CLI11 only says that a subcommand is missing when it does not know the one that was given.
void check_subcommand(const CLI::App& program, std::string_view word) {
  std::vector<std::string> names;
  for (const CLI::App* command : program.get_subcommands({})) names.push_back(command->get_name());
  if (word.starts_with('-') || std::find(names.begin(), names.end(), word) != names.end()) return;
  const std::vector<std::string_view> views(names.begin(), names.end());
  fail_usage("there is no subcommand '{}'{}; whence --help lists them", word, did_you_mean(word, views));
}

/// CLI11 lists what it cannot place, last word first; the first option that the command does not have says more.
void check_options(const CLI::App& program) {
  const CLI::App* command = &program;
  while (!command->get_subcommands().empty()) command = command->get_subcommands().front();
  std::vector<std::string> names;
  for (const CLI::Option* option : command->get_options({}))
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
  const std::vector<std::string_view> views(names.begin(), names.end());
  for (const std::string& given : program.remaining(/*recurse=*/true)) {
    const std::string option = given.substr(0, given.find('='));
    if (!option.starts_with("--") || std::find(names.begin(), names.end(), option) != names.end()) continue;
    std::string path;
    for (const CLI::App* at = command; at != &program; at = at->get_parent())
      path = at->get_name() + " " + path;
    fail_usage("there is no option {}{}; whence {}--help lists them", option, did_you_mean(option, views),
               path);
  }
}

/// 0 for --help and --version, otherwise a sentence and 2.
int parse_exit(const CLI::App& program, const CLI::ParseError& error) {
  if (error.get_exit_code() == 0) return program.exit(error);
  std::string sentence = error.what();
  std::replace(sentence.begin(), sentence.end(), '\n', ' ');
  const std::vector<CLI::App*> chosen = program.get_subcommands();
  return say(fmt::format("{}; see whence {}--help", sentence,
                         chosen.empty() ? "" : chosen.front()->get_name() + " "),
             ExitCode::usage);
}

int run_program(int argc, char** argv) {
  CLI::App program{"Explains classifiers and generative models by interventions on learned causes.",
                   "whence"};
  Command chosen;
  program.require_subcommand(1);
  program.set_version_flag("--version", version_text);
  program.set_help_all_flag("--help-all", "The help of every subcommand");
  add_commands(program, chosen);
  try {
    program.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (argc > 1) check_subcommand(program, argv[1]);
    if (error.get_exit_code() == static_cast<int>(CLI::ExitCodes::ExtrasError)) check_options(program);
    return parse_exit(program, error);
  }
  chosen();
  std::cout.flush();
  if (!std::cout) fail("the results cannot be written to standard output; is the disk full?");
  return static_cast<int>(ExitCode::done);
}

}  // namespace
}  // namespace whence::cli

int main(int argc, char** argv) {
  using namespace whence;
  install_interrupt_handler();
  try {
    return cli::run_program(argc, argv);
  } catch (const Error& error) {
    return cli::say(sentence_of(error), error.code());
  } catch (const std::exception& error) {
    return cli::say(sentence_of(error), ExitCode::failed);
  }
}
