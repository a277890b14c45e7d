// Checks of options, whose sentences say what a value must be.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <filesystem>
#include <limits>

namespace whence::cli {

/// An integer from `least` to `most`.
CLI::Validator whole_number(std::int64_t least, std::int64_t most = std::numeric_limits<std::int64_t>::max());
/// A finite number from `least` to `most`.
CLI::Validator number(double least, double most = std::numeric_limits<double>::max());

/// Every option --out of the program's commands is checked before any work.
void check_outputs(CLI::App& program);
/// Error: a file or folder that cannot be written at `path`, because of what lies there.
void require_writable(const std::filesystem::path& path, bool folder);

}  // namespace whence::cli
