// What charts share around their axes: style, title, legend and axis titles, placed by points from the top
// left.
#pragma once

#include <string>
#include <vector>

#include "report/canvas.h"

namespace whence::report {

struct LegendEntry {
  enum class Sample { solid, hatched, line, ring } sample = Sample::line;
  std::string name;
  Colour colour;
  std::string dash = "solid";  ///< a gnuplot dash type, for lines
};

/// gnuplot's dash type of a line that values are held against.
constexpr const char* reference_dash = "(8,5)";

/// gnuplot's words for a point that is no part of a line.
constexpr const char* ring_mark = "pointtype 6 pointsize 1.4 linewidth 2";

/// gnuplot knows fractions of the page; everything else here is in points.
class ChartFrame {
 public:
  ChartFrame(double width, double height, double left, double right)
      : width_(width), height_(height), left_(left), right_(right) {}

  static constexpr double margin = 16, title_line = 20, legend_line = 20;
  static constexpr TextStyle title_style{15.5, true, ink};
  static constexpr TextStyle label_style{13, false, ink};
  static constexpr TextStyle axis_style{13, false, faint_ink};

  /// Colours of axes, grid and text; call once.
  std::string style() const;
  /// Places the axes between `top` and `bottom`.
  std::string axes(double top, double bottom) const;
  std::string title(const std::vector<std::string>& lines) const;
  std::string legend(const std::vector<LegendEntry>& entries, double top) const;
  double legend_height(const std::vector<LegendEntry>& entries) const;
  /// Turned, in the left margin, centred between `top` and `bottom`.
  std::string value_axis(const std::string& text, double top, double bottom) const;
  /// Centred below the axes.
  std::string horizontal_axis(const std::string& text, double middle) const;

 private:
  struct Place {
    double x;
    int line;
  };
  std::vector<Place> places(const std::vector<LegendEntry>& entries) const;
  std::string at(double x, double y) const;  ///< "screen 0.1, screen 0.2"

  double width_, height_, left_, right_;
};

}  // namespace whence::report
