// What a page keeps of the runs that it shows: a file of lines, one a run, beside its pictures.
#pragma once

#include <filesystem>
#include <string>

#include "whence/results/measured.h"
#include "whence/results/page.h"

namespace whence::results {

inline constexpr const char* kRecordFile = "runs.jsonl";

/// Empty where there is no file. Error: a line that is no run, with its number.
Record read_record(const std::filesystem::path& file);

/// The lines: of every run that the page shows, its figures on this page, its times, where it ran, and its recipe.
std::string record_of(const Page& page, const Measured& measured);

}  // namespace whence::results
