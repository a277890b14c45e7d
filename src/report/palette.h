// The one list of colours and marks that every figure and the page share.
#pragma once

#include <cstdint>
#include <string>

namespace whence::report {

struct Colour {
  double red = 0, green = 0, blue = 0;  ///< sRGB in [0, 1]
};

inline constexpr Colour ink{0.13, 0.15, 0.18};        ///< text
inline constexpr Colour faint_ink{0.38, 0.41, 0.45};  ///< axis titles, tick labels
inline constexpr Colour rule{0.88, 0.89, 0.91};       ///< grid lines
inline constexpr Colour paper{1, 1, 1};               ///< every figure's background

/// The eight colours of Okabe & Ito (2008) and two more (wine and indigo of Tol's muted scheme), which keep a
/// distance of at least 23 (CIE76) from the eight with normal sight, protanopia and deuteranopia. They repeat
/// after ten.
Colour class_colour(std::int64_t index);

/// The second sign of a class, for print without colour. (colour, mark) repeats after a hundred classes.
enum class Mark { circle, square, triangle, diamond, cross, bar, inverted_triangle, plus, pentagon, ring };
Mark class_mark(std::int64_t index);

/// "#0072B2"
std::string hex(Colour colour);

}  // namespace whence::report
