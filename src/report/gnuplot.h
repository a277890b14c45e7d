// Charts are drawn by gnuplot, which knows axes; the script goes through its standard input, without a shell.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "report/canvas.h"

namespace whence::report {

/// `text` as a gnuplot string: everything but letters, digits, spaces and UTF-8 is an octal escape, so that
/// no character means anything to gnuplot. Line breaks stay.
std::string gnuplot_string(std::string_view text);
/// The same for places where gnuplot takes a text for a printf format (tick labels).
std::string gnuplot_format(std::string_view text);

/// "1.25", "NaN": a number as gnuplot reads it.
std::string number(double value);

/// A data block `name` of rows of numbers.
std::string data_block(std::string_view name, std::span<const std::vector<double>> rows);

/// Fill styles: patterns carry the difference where colour does not.
inline constexpr const char* solid_fill = "solid 1";
inline constexpr const char* hatched_fill = "pattern 4";

/// Runs the script for both formats; `width` and `height` in points. Errors: gnuplot missing or failing.
Drawing run_chart(const std::string& script, double width, double height, const std::string& title);

}  // namespace whence::report
