#include "report/canvas.h"

#include <cairo-svg.h>
#include <cairo.h>

#include <numbers>

#include "report/svg.h"
#include "report/text.h"
#include "whence/core/files.h"

namespace whence::report {
namespace {

struct Release {
  void operator()(cairo_t* context) const { cairo_destroy(context); }
  void operator()(cairo_surface_t* surface) const { cairo_surface_destroy(surface); }
  void operator()(cairo_font_options_t* options) const { cairo_font_options_destroy(options); }
};
template <class T>
using Owned = std::unique_ptr<T, Release>;

void check(cairo_status_t status) {
  TORCH_CHECK(status == CAIRO_STATUS_SUCCESS, "cairo: ", cairo_status_to_string(status));
}

Owned<cairo_t> make_context(cairo_surface_t* surface) {
  Owned<cairo_t> context(cairo_create(surface));
  check(cairo_status(context.get()));
  // Unhinted metrics make both surfaces agree about where text goes.
  const Owned<cairo_font_options_t> options(cairo_font_options_create());
  cairo_font_options_set_hint_metrics(options.get(), CAIRO_HINT_METRICS_OFF);
  cairo_font_options_set_hint_style(options.get(), CAIRO_HINT_STYLE_NONE);
  cairo_font_options_set_antialias(options.get(), CAIRO_ANTIALIAS_GRAY);
  cairo_set_font_options(context.get(), options.get());
  return context;
}

void use(cairo_t* context, Colour colour) {
  cairo_set_source_rgb(context, colour.red, colour.green, colour.blue);
}

void use(cairo_t* context, const TextStyle& style) {
  cairo_select_font_face(context, font_family, CAIRO_FONT_SLANT_NORMAL,
                         style.bold ? CAIRO_FONT_WEIGHT_BOLD : CAIRO_FONT_WEIGHT_NORMAL);
  cairo_set_font_size(context, style.size);
  use(context, style.colour);
}

double advance(cairo_t* context, const std::string& clean) {
  cairo_text_extents_t extents;
  cairo_text_extents(context, clean.c_str(), &extents);
  return extents.x_advance;
}

void polygon(cairo_t* context, double x, double y, double radius, int corners, double first_angle) {
  for (int i = 0; i < corners; ++i) {
    const double angle = first_angle + 2 * std::numbers::pi * i / corners;
    cairo_line_to(context, x + radius * std::cos(angle), y + radius * std::sin(angle));
  }
  cairo_close_path(context);
}

void box(cairo_t* context, double x, double y, double half_width, double half_height) {
  cairo_rectangle(context, x - half_width, y - half_height, 2 * half_width, 2 * half_height);
}

/// Two crossing bars as one outline, so that the white rim goes around both.
void crossed_bars(cairo_t* context, double x, double y, double radius, double turn) {
  const double arm = radius * 0.36;
  cairo_save(context);
  cairo_translate(context, x, y);
  cairo_rotate(context, turn);
  const double corners[12][2] = {{-arm, -radius}, {arm, -radius}, {arm, -arm},     {radius, -arm},
                                 {radius, arm},   {arm, arm},     {arm, radius},   {-arm, radius},
                                 {-arm, arm},     {-radius, arm}, {-radius, -arm}, {-arm, -arm}};
  for (const auto& corner : corners) cairo_line_to(context, corner[0], corner[1]);
  cairo_close_path(context);
  cairo_restore(context);
}

void mark_path(cairo_t* context, Mark mark, double x, double y, double r) {
  constexpr double pi = std::numbers::pi;
  cairo_new_path(context);
  switch (mark) {
    case Mark::circle:
      cairo_arc(context, x, y, r * 0.88, 0, 2 * pi);
      break;
    case Mark::square:
      box(context, x, y, r * 0.8, r * 0.8);
      break;
    case Mark::triangle:
      polygon(context, x, y + r * 0.15, r * 1.1, 3, -pi / 2);
      break;
    case Mark::diamond:
      polygon(context, x, y, r * 1.1, 4, 0);
      break;
    case Mark::cross:
      crossed_bars(context, x, y, r, pi / 4);
      break;
    case Mark::bar:
      box(context, x, y, r, r * 0.42);
      break;
    case Mark::inverted_triangle:
      polygon(context, x, y - r * 0.15, r * 1.1, 3, pi / 2);
      break;
    case Mark::plus:
      crossed_bars(context, x, y, r, 0);
      break;
    case Mark::pentagon:
      polygon(context, x, y, r, 5, -pi / 2);
      break;
    case Mark::ring:
      cairo_arc(context, x, y, r * 0.95, 0, 2 * pi);
      cairo_new_sub_path(context);
      cairo_arc_negative(context, x, y, r * 0.45, 2 * pi, 0);
      break;
  }
}

cairo_status_t append(void* text, const unsigned char* data, unsigned length) {
  static_cast<std::string*>(text)->append(reinterpret_cast<const char*>(data), length);
  return CAIRO_STATUS_SUCCESS;
}

/// Bytes (H, W) as a PNG of one channel, attached to the surface that shows them: an SVG stores it in place of one of three channels, which is
/// twice as large.
void attach_grey_png(cairo_surface_t* surface, const at::Tensor& bytes) {
  const Owned<cairo_surface_t> grey(cairo_image_surface_create(
      CAIRO_FORMAT_A8, static_cast<int>(bytes.size(1)), static_cast<int>(bytes.size(0))));
  check(cairo_surface_status(grey.get()));
  auto* target = cairo_image_surface_get_data(grey.get());
  const int stride = cairo_image_surface_get_stride(grey.get());
  for (std::int64_t y = 0; y < bytes.size(0); ++y)
    std::copy_n(bytes.data_ptr<std::uint8_t>() + y * bytes.size(1), bytes.size(1), target + y * stride);
  cairo_surface_mark_dirty(grey.get());
  auto png = std::make_unique<std::string>();
  check(cairo_surface_write_to_png_stream(grey.get(), append, png.get()));
  const auto* data = reinterpret_cast<const unsigned char*>(png->data());
  check(cairo_surface_set_mime_data(
      surface, CAIRO_MIME_TYPE_PNG, data, png->size(),
      [](void* text) { delete static_cast<std::string*>(text); }, png.get()));
  static_cast<void>(png.release());  // the surface's now
}

/// (C, H, W) as an opaque cairo image, pixel for pixel.
Owned<cairo_surface_t> surface_of(const at::Tensor& image) {
  const auto values = image.detach().to(at::kCPU, at::kFloat).nan_to_num(0.0).clamp(0, 1).mul(255).round();
  const auto given = values.to(at::kByte).contiguous();
  const auto bytes = given.expand({3, -1, -1}).permute({1, 2, 0}).contiguous();
  const int height = static_cast<int>(bytes.size(0)), width = static_cast<int>(bytes.size(1));
  Owned<cairo_surface_t> surface(cairo_image_surface_create(CAIRO_FORMAT_RGB24, width, height));
  check(cairo_surface_status(surface.get()));
  const auto* pixel = bytes.data_ptr<std::uint8_t>();
  auto* target = cairo_image_surface_get_data(surface.get());
  const int stride = cairo_image_surface_get_stride(surface.get());
  for (int y = 0; y < height; ++y) {
    auto* row = reinterpret_cast<std::uint32_t*>(target + static_cast<std::ptrdiff_t>(y) * stride);
    for (int x = 0; x < width; ++x, pixel += 3)
      row[x] = static_cast<std::uint32_t>(pixel[0] << 16 | pixel[1] << 8 | pixel[2]);
  }
  cairo_surface_mark_dirty(surface.get());
  if (given.size(0) == 1) attach_grey_png(surface.get(), given[0]);
  return surface;
}

void paint_on(cairo_surface_t* surface, double scale, const std::function<void(Canvas&)>& paint) {
  check(cairo_surface_status(surface));
  const auto context = make_context(surface);
  cairo_scale(context.get(), scale, scale);
  use(context.get(), paper);
  cairo_paint(context.get());
  Canvas canvas(context.get());
  paint(canvas);
  check(cairo_status(context.get()));
  cairo_surface_flush(surface);
}

}  // namespace

double text_width(const std::string& text, const TextStyle& style) {
  const Owned<cairo_surface_t> surface(cairo_image_surface_create(CAIRO_FORMAT_A8, 1, 1));
  const auto context = make_context(surface.get());
  use(context.get(), style);
  return advance(context.get(), clean_text(text));
}

std::vector<std::string> wrap_text(const std::string& text, const TextStyle& style, double width) {
  const auto cut = [&](std::string word) {
    if (text_width(word, style) <= width) return word;
    while (!word.empty() && text_width(word + "…", style) > width) {
      do {  // whole UTF-8 characters
        const bool continuation = (static_cast<unsigned char>(word.back()) & 0xC0u) == 0x80u;
        word.pop_back();
        if (!continuation) break;
      } while (!word.empty());
    }
    return word + "…";
  };
  std::vector<std::string> lines;
  const std::string clean = clean_text(text);
  for (std::size_t start = 0; start < clean.size();) {
    const std::size_t space = std::min(clean.find(' ', start), clean.size());
    const std::string word = clean.substr(start, space - start);
    start = space + 1;
    if (word.empty()) continue;
    if (!lines.empty() && text_width(lines.back() + " " + word, style) <= width) {
      lines.back() += " " + word;
    } else {
      lines.push_back(cut(word));
    }
  }
  return lines;
}

void Canvas::text(const std::string& text, double x, double baseline, const TextStyle& style, Align align) {
  use(context_, style);
  const std::string clean = clean_text(text);
  const double shift =
      align == Align::left ? 0 : advance(context_, clean) * (align == Align::centre ? 0.5 : 1);
  cairo_move_to(context_, x - shift, baseline);
  cairo_show_text(context_, clean.c_str());
}

void Canvas::rectangle(double x, double y, double width, double height, Colour fill) {
  use(context_, fill);
  cairo_rectangle(context_, x, y, width, height);
  cairo_fill(context_);
}

void Canvas::frame(double x, double y, double width, double height, double thickness, Colour colour) {
  use(context_, colour);
  cairo_set_line_width(context_, thickness);
  cairo_set_line_join(context_, CAIRO_LINE_JOIN_MITER);
  cairo_rectangle(context_, x + thickness / 2, y + thickness / 2, width - thickness, height - thickness);
  cairo_stroke(context_);
}

void Canvas::mark(Mark mark, double x, double y, double radius, Colour colour) {
  mark_path(context_, mark, x, y, radius);
  use(context_, paper);
  cairo_set_line_width(context_, radius * 0.75);
  cairo_set_line_join(context_, CAIRO_LINE_JOIN_ROUND);
  cairo_stroke_preserve(context_);
  use(context_, colour);
  cairo_fill(context_);
}

void Canvas::image(const at::Tensor& image, double x, double y, double scale) {
  const auto surface = surface_of(image);
  cairo_save(context_);
  cairo_translate(context_, x, y);
  cairo_scale(context_, scale, scale);
  cairo_set_source_surface(context_, surface.get(), 0, 0);
  cairo_pattern_set_filter(cairo_get_source(context_), CAIRO_FILTER_NEAREST);
  cairo_paint(context_);
  cairo_restore(context_);
}

void write_drawing(const Drawing& drawing, const std::filesystem::path& stem) {
  const auto with = [&](const char* extension) {
    auto path = stem;  // not replace_extension: a stem such as "lambda-0.05" has a dot of its own
    return path += extension;
  };
  write_file(with(".png"), drawing.png);
  write_file(with(".svg"), drawing.svg);
}

Drawing render(double width, double height, const std::string& title,
               const std::function<void(Canvas&)>& paint) {
  Drawing drawing;
  width = std::ceil(width);
  height = std::ceil(height);
  {
    const Owned<cairo_surface_t> surface(
        cairo_image_surface_create(CAIRO_FORMAT_RGB24, static_cast<int>(width) * pixels_per_point,
                                   static_cast<int>(height) * pixels_per_point));
    paint_on(surface.get(), pixels_per_point, paint);
    check(cairo_surface_write_to_png_stream(surface.get(), append, &drawing.png));
  }
  {
    std::string svg;
    const Owned<cairo_surface_t> surface(cairo_svg_surface_create_for_stream(append, &svg, width, height));
    cairo_svg_surface_set_document_unit(surface.get(), CAIRO_SVG_UNIT_PX);
    paint_on(surface.get(), 1, paint);
    cairo_surface_finish(surface.get());
    check(cairo_surface_status(surface.get()));
    drawing.svg = finish_svg(number_ids(svg), title);
  }
  return drawing;
}

}  // namespace whence::report
