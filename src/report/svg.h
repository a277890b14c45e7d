// Corrections of the SVG files that cairo and gnuplot write.
#pragma once

#include <string>
#include <string_view>

namespace whence::report {

/// Ids numbered by their order in the document. cairo's count every surface of the process, so that the same
/// figure drawn twice would differ.
std::string number_ids(std::string_view svg);

/// Coordinates of paths with two decimals instead of six: a hundredth of a pixel, and letters are most of a figure.
std::string shorten_paths(std::string_view svg);

/// Short paths, images whose pixels keep sharp edges, a <title> in place of the writer's own, and font fallbacks for viewers
/// without our font.
std::string finish_svg(std::string svg, std::string_view title);

/// Width and height in CSS pixels, from the viewBox. Error: no SVG with a viewBox (named by `where`).
struct SvgSize {
  double width = 0, height = 0;
};
SvgSize svg_size(std::string_view svg, const std::string& where);

}  // namespace whence::report
