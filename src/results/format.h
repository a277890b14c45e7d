// How figures, bars and tables of a page are written.
#pragma once

#include <string>
#include <vector>

#include "whence/results/measured.h"

namespace whence::results {

/// With the figure's digits, without its unit.
std::string shown(double value, const Figure& figure);
std::string with_unit(const std::string& number, const Figure& figure);
/// "≥ 90 %"
std::string shown(const Bar& bar, const std::string& unit);
/// What tables say of a figure: stated, reference, median, least to most, bar, verdict; empty where there is nothing.
std::vector<std::string> cells_of(const Figure& figure, const MeasuredFigure& measured);
/// "3 runs"
std::string plural(std::size_t count, const std::string& one);
/// In Markdown; the first row is the heading. A column that is empty in all other rows is left out.
std::string table_of(const std::vector<std::vector<std::string>>& rows);

}  // namespace whence::results
