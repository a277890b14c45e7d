// What every computing subcommand does first.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "experiment/display.h"
#include "experiment/recipe.h"
#include "whence/core/progress.h"
#include "whence/data/dataset.h"

namespace whence::cli {

/// Threads of LibTorch (0: every core) and a warning on stderr when the BLAS is the unoptimised one.
void set_up(std::int64_t threads);

/// A display on stderr that stops at Ctrl-C.
ProgressCallback show_progress();

/// Calls `work` with a display on stderr. Errors of an interrupted run say how to go on.
void work_with_display(bool quiet, const std::function<void(experiment::Display&)>& work);

/// --set KEY=VALUE, of commands that take a recipe.
void add_settings(CLI::App& command, std::vector<std::string>& settings);

/// "1x28x28"
std::vector<std::int64_t> parse_shape(const std::string& text);
/// The recipe's options for `--data SET|DIR --classes 0,3,4`. The labels of IDX files in a folder are their own names.
/// Error: a folder without data.
experiment::DataOptions parse_data(const std::string& data, const std::vector<std::int64_t>& classes);

}  // namespace whence::cli
