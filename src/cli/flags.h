// Flags from the schema: keys are the options of a command.
#pragma once

#include <CLI/CLI.hpp>
#include <memory>

#include "config/schema.h"

namespace whence::cli {

/// Every key becomes --name, its underscores hyphens, and writes into `values`; what they hold now is shown as the default.
/// Lists take commas or the flag again, pairs 200x200; the unit of a text is what the help calls it; a toggle is a flag (--no-name where it is on already). Keys are read in their order,
/// whatever the order on the command line. A wrong value is an Error (usage) of config::assign.
void add_flags(CLI::App& command, const std::vector<config::Key>& keys,
               const std::shared_ptr<config::Values>& values);

}  // namespace whence::cli
