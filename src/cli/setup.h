// What every computing subcommand does first.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "experiment/recipe.h"
#include "whence/core/progress.h"
#include "whence/data/dataset.h"

namespace whence::cli {

/// Threads of LibTorch (0: every core) and a warning on stderr when the BLAS is the unoptimised one.
void set_up(std::int64_t threads);

/// A display on stderr that stops at Ctrl-C.
ProgressCallback show_progress();

/// "1x28x28"
std::vector<std::int64_t> parse_shape(const std::string& text);
/// The recipe's options for `--data SET|DIR --classes 0,3,4`. The labels of IDX files in a folder are their own names.
/// Error: a folder without data.
experiment::DataOptions parse_data(const std::string& data, const std::vector<std::int64_t>& classes);

}  // namespace whence::cli
