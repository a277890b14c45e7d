// A page of results as Markdown, with its pictures beside it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "whence/results/measured.h"
#include "whence/results/page.h"

namespace whence::results {

/// A picture may have this many bytes, and all of a page that many: pages are committed.
inline constexpr std::int64_t kPictureBytes = 1 << 20, kPageBytes = 15 << 20;

/// The whole page: a table of all experiments and their bars, then a section for each. `out` is where it will stand;
/// links are relative to it, and pictures lie in a folder beside it that has its name without the extension.
std::string markdown(const Page& page, const Measured& measured, const std::filesystem::path& out);

struct Written {
  Tally tally;
  /// Runs whose folders are not there, so that the page shows what its record holds of them.
  std::vector<std::string> recorded;
  /// Pictures in the page's folder that this page does not show (of an earlier one). They are left there.
  std::vector<std::filesystem::path> unused;
};
/// Reads and checks everything, copies the pictures, and writes the page last: an error before leaves the old page.
/// Beside the pictures lies the page's record, runs.jsonl: a run whose folder is gone is shown as it was, with the pictures
/// that lie there. Errors: those of measure(); a record that cannot be read; a picture that is not there, is neither PNG, SVG nor JPEG, or is too large; all of them
/// too large together; a file that cannot be written.
Written write_results(const Page& page, const std::filesystem::path& runs, const std::filesystem::path& out);

}  // namespace whence::results
