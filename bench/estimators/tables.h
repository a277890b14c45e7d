// The output of the comparison: tables in Markdown, and figures.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "estimators/compare.h"

namespace whence::bench {

struct Compared {
  Problem problem;
  std::map<std::string, Quality> qualities;  ///< by the design's name
};

/// Every design on one problem.
std::string table_of(const Compared& compared);
/// The gradient's error at equal cost: a row a design, a column a group of problems (geometric means).
std::string summary_of(const std::vector<Compared>& all);
/// Error of value and of gradient against passes, a line a family.
void draw_errors(const Compared& compared, const std::filesystem::path& stem);

}  // namespace whence::bench
