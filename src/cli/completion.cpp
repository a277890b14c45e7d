// whence completion: a shell script made from the declared subcommands and options.
#include <iostream>

#include "cli/commands.h"

namespace whence::cli {
namespace {

/// Subcommands and long options of one command.
std::string words_of(const CLI::App& command) {
  std::string words;
  for (const CLI::App* inner : command.get_subcommands({})) words += inner->get_name() + " ";
  for (const CLI::Option* option : command.get_options({})) {
    for (const std::string& name : option->get_lnames()) words += "--" + name + " ";
  }
  if (!words.empty()) words.pop_back();
  return words;
}

void print_bash(const CLI::App& program) {
  std::cout << "# bash completion of whence; load it with: source <(whence completion bash)\n"
               "_whence() {\n"
               "  local current=${COMP_WORDS[COMP_CWORD]} words\n"
               "  case ${COMP_WORDS[1]} in\n";
  for (const CLI::App* command : program.get_subcommands({})) {
    std::cout << fmt::format("    {}) words='{}' ;;\n", command->get_name(), words_of(*command));
  }
  std::cout << fmt::format("    *) words='{}' ;;\n", words_of(program))
            << "  esac\n"
               "  if [ \"$COMP_CWORD\" -eq 1 ]; then words='"
            << words_of(program)
            << "'; fi\n"
               "  COMPREPLY=($(compgen -W \"$words\" -- \"$current\"))\n"
               "  if [ \"$COMP_CWORD\" -gt 1 ]; then COMPREPLY+=($(compgen -f -- \"$current\")); fi\n"
               "}\n"
               "complete -o filenames -F _whence whence\n";
}

}  // namespace

CLI::App* add_command(CLI::App& program, const std::string& name, const std::string& purpose,
                      const std::vector<std::string>& examples) {
  CLI::App* command = program.add_subcommand(name, purpose);
  std::string footer = "Examples:";
  for (const std::string& example : examples) footer += "\n  whence " + example;
  command->footer(footer);
  return command;
}

void add_completion(CLI::App& program, Command& chosen) {
  CLI::App* command = add_command(program, "completion", "Prints a completion script for a shell",
                                  {"completion bash > /etc/bash_completion.d/whence"});
  auto shell = std::make_shared<std::string>();
  command->add_option("shell", *shell, "The shell")->required()->check(CLI::IsMember({"bash"}));
  command->callback([&program, &chosen, shell] { chosen = [&program] { print_bash(program); }; });
}

}  // namespace whence::cli
