// Drawing with cairo: one drawing code, two surfaces (PNG with two pixels a point, SVG).
#pragma once

#include <ATen/core/Tensor.h>

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "report/figures.h"
#include "report/palette.h"

using cairo_t = struct _cairo;

namespace whence::report {

inline constexpr const char* font_family = "DejaVu Sans";
inline constexpr int pixels_per_point = 2;  ///< of the PNG files; a point is one unit (CSS pixel) of the SVG

struct TextStyle {
  double size = 12;  ///< points
  bool bold = false;
  Colour colour = ink;
};
enum class Align { left, centre, right };

double text_width(const std::string& text, const TextStyle& style);

/// Lines of at most `width` points, broken at spaces; a single longer word is cut with an ellipsis.
std::vector<std::string> wrap_text(const std::string& text, const TextStyle& style, double width);

/// All lengths in points, y downwards, text placed by its baseline.
class Canvas {
 public:
  explicit Canvas(cairo_t* context) : context_(context) {}

  void text(const std::string& text, double x, double baseline, const TextStyle& style,
            Align align = Align::left);
  void rectangle(double x, double y, double width, double height, Colour fill);
  /// A frame of `thickness` just inside the rectangle.
  void frame(double x, double y, double width, double height, double thickness, Colour colour);
  /// A mark that fits a circle of `radius`, with a white rim so that it stands out from what is below it.
  void mark(Mark mark, double x, double y, double radius, Colour colour);
  /// image: (C, H, W) in [0, 1], C = 1 or 3; `scale` points a pixel, hard pixel edges. Not-a-number is drawn
  /// as 0.
  void image(const at::Tensor& image, double x, double y, double scale);

 private:
  cairo_t* context_;
};

/// `stem`.png and `stem`.svg.
void write_drawing(const Drawing& drawing, const std::filesystem::path& stem);

/// Runs `paint` once for each surface, on white.
Drawing render(double width, double height, const std::string& title,
               const std::function<void(Canvas&)>& paint);

}  // namespace whence::report
