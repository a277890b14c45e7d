#include "format.h"

namespace whence::results {
namespace {

/// A cell of a table: '|' would end it.
std::string cell(const std::string& text) {
  std::string safe;
  for (const char letter : text)
    safe += letter == '|' ? "\\|" : letter == '\n' ? " " : std::string(1, letter);
  return safe;
}

std::string row_of(const std::vector<std::string>& cells) {
  std::string row = "|";
  for (const std::string& text : cells) row += " " + cell(text) + " |";
  return row + "\n";
}

/// Enough digits that what is missing is never shown as nothing. Of two shares it is in points, not in percent of one.
std::string missing(double by, const Figure& figure) {
  const std::string text = shown(by, figure);
  Figure difference = figure;
  if (difference.unit == "%") difference.unit = "points";
  return with_unit(text.find_first_of("123456789") == std::string::npos ? fmt::format("{:.1g}", by) : text,
                   difference);
}

std::string shown(const Quoted& quoted, const Figure& figure) {
  if (!quoted.number) return quoted.words;
  return with_unit(fmt::format("{:g}", *quoted.number), figure);
}

std::string verdict(const Figure& figure, const MeasuredFigure& measured) {
  if (!figure.bar) return "";
  if (!measured.measured()) return "not measured yet";
  if (figure.bar->reached_by(measured.spread.median)) return "reached";
  return fmt::format("**missed** by {}", missing(figure.bar->missed_by(measured.spread.median), figure));
}

std::string range(const Figure& figure, const run::Spread& spread) {
  if (spread.count < 2) return "";
  return fmt::format("{} to {}", shown(spread.least, figure), shown(spread.most, figure));
}

}  // namespace

std::string with_unit(const std::string& number, const Figure& figure) {
  return figure.unit.empty() ? number : number + " " + figure.unit;
}

std::string shown(double value, const Figure& figure) { return fmt::format("{:.{}f}", value, figure.digits); }

std::string shown(const Bar& bar, const std::string& unit) {
  return fmt::format("{} {:g}{}{}", bar.at_least ? "≥" : "≤", bar.value, unit.empty() ? "" : " ", unit);
}

std::vector<std::string> cells_of(const Figure& figure, const MeasuredFigure& measured) {
  return {shown(figure.stated, figure),
          shown(figure.reference, figure),
          measured.measured() ? with_unit(shown(measured.spread.median, figure), figure) : "",
          range(figure, measured.spread),
          figure.bar ? shown(*figure.bar, figure.unit) : "",
          verdict(figure, measured)};
}

std::string plural(std::size_t count, const std::string& one) {
  return fmt::format("{} {}{}", count, one, count == 1 ? "" : "s");
}

std::string table_of(const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> columns;
  for (std::size_t column = 0; column < rows.front().size(); ++column) {
    const auto filled = [&](const std::vector<std::string>& row) { return !row[column].empty(); };
    if (column == 0 || std::any_of(rows.begin() + 1, rows.end(), filled)) columns.push_back(column);
  }
  std::string text;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    std::vector<std::string> cells;
    for (const std::size_t column : columns) cells.push_back(rows[i][column]);
    text += row_of(cells);
    if (i == 0) text += row_of(std::vector<std::string>(columns.size(), "---"));
  }
  return text;
}

}  // namespace whence::results
