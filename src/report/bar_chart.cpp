#include <cstdio>
#include <limits>

#include "report/gnuplot.h"
#include "report/text.h"
#include "whence/report/figures.h"

namespace whence::report {
namespace {

constexpr double height = 420, left = 78, right = 20, bottom_of_labels = 10, tick_line = 15, legend_line = 24;
constexpr TextStyle label_style{12, false, ink};
constexpr double value_text_height = 14;

const Colour highlighted_colour = class_colour(0);
const Colour other_colour = class_colour(1);

struct Layout {
  double width = 0;
  double top = 0, bottom = 0;  // margins around the axes, in points
  std::vector<std::string> title;
  std::vector<std::string> labels;  // wrapped, with line breaks
  double minimum = 0, maximum = 1;  // of the axis
  double value_per_point() const { return (maximum - minimum) / (height - top - bottom); }
};

/// The number above a bar. `format` must be a printf format of exactly one double.
std::string formatted(const std::string& format, double value) {
  std::size_t conversions = 0;
  for (std::size_t i = 0; i < format.size(); ++i) {
    if (format[i] != '%') continue;
    if (i + 1 < format.size() && format[i + 1] == '%') {
      ++i;
      continue;
    }
    const std::size_t end = format.find_first_not_of("-+ #0123456789.", i + 1);
    TORCH_CHECK(
        end != std::string::npos && std::string_view("eEfFgG").find(format[end]) != std::string_view::npos,
        "bar chart: value_format must be a printf format of one double, not \"", format, "\"");
    ++conversions;
    i = end;
  }
  TORCH_CHECK(conversions == 1, "bar chart: value_format must have one conversion, not \"", format, "\"");
  char text[128];
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
  std::snprintf(text, sizeof text, format.c_str(), value);
#pragma GCC diagnostic pop
  const std::string result = text;
  const bool minus_zero = result.starts_with('-') && result.find_first_of("123456789in") == std::string::npos;
  return minus_zero ? result.substr(1) : result;
}

double finite(double value) { return std::isfinite(value) ? value : 0; }
double error_of(const Bar& bar) { return std::max(finite(bar.error), 0.0); }

void choose_range(const BarChart& chart, Layout& layout) {
  double highest = std::max(finite(chart.reference), 0.0), lowest = std::min(finite(chart.reference), 0.0);
  for (const auto& bar : chart.bars) {
    highest = std::max(highest, finite(bar.value) + error_of(bar));
    lowest = std::min(lowest, finite(bar.value) - error_of(bar));
  }
  // Bias-corrected estimates of nothing scatter around 0; they do not deserve an axis below it.
  const bool below = lowest < -0.03 * highest;
  if (!below) lowest = 0;
  const double span = highest > lowest ? highest - lowest : 1;
  layout.maximum = chart.maximum > 0       ? chart.maximum
                   : highest > 0 || !below ? lowest + span * 1.13
                                           : 0.05 * span;
  layout.minimum = below ? lowest - 0.13 * span : 0;
}

Layout place(const BarChart& chart) {
  Layout layout;
  const auto count = static_cast<double>(chart.bars.size());
  layout.width = std::clamp(left + right + 92 * count, 480.0, 1100.0);
  const double room = (layout.width - left - right) / count - 8;
  std::size_t lines = 1;
  for (const auto& bar : chart.bars) {
    const auto wrapped = wrap_text(bar.label, label_style, room);
    std::string label;
    for (const auto& line : wrapped) label += (label.empty() ? "" : "\n") + line;
    layout.labels.push_back(label);
    lines = std::max(lines, wrapped.size());
  }
  layout.title = wrap_text(chart.title, chart_title_style, layout.width - left - right);
  layout.top = chart_margin + chart_title_line * static_cast<double>(layout.title.size()) + legend_line + 12;
  layout.bottom = bottom_of_labels + 12 + tick_line * static_cast<double>(lines);
  choose_range(chart, layout);
  return layout;
}

/// The baseline of the number above a bar, kept off the reference line.
double label_height(const BarChart& chart, const Layout& layout, const Bar& bar) {
  const double point = layout.value_per_point();
  double middle = std::max(finite(bar.value) + error_of(bar), 0.0) + point * (4 + value_text_height / 2);
  if (chart.reference != 0 && std::abs(middle - chart.reference) < point * (value_text_height / 2 + 2))
    middle = chart.reference + point * (value_text_height / 2 + 3);
  return middle;
}

std::string axes(const BarChart& chart, const Layout& layout) {
  std::string script = chart_style();
  script += fmt::format("set lmargin at screen {:.5f}\nset rmargin at screen {:.5f}\n", left / layout.width,
                        1 - right / layout.width);
  script += fmt::format("set bmargin at screen {:.5f}\nset tmargin at screen {:.5f}\n",
                        layout.bottom / height, 1 - layout.top / height);
  script += chart_title(layout.title, height);
  script += fmt::format(
      "set key at graph 0, screen {:.5f} left center horizontal Left reverse samplen 1.8 width 1\n",
      1 - (layout.top - 12 - legend_line / 2) / height);
  script += fmt::format(
      "set xrange [-0.6:{}]\nset yrange [{}:{}]\nset ylabel {} textcolor rgb '{}' offset -0.5,0\n",
      static_cast<double>(chart.bars.size()) - 0.4, number(layout.minimum), number(layout.maximum),
      gnuplot_string(chart.value_axis), hex(faint_ink));
  script += "set boxwidth 0.62\nset xtics scale 0 (";
  for (std::size_t i = 0; i < layout.labels.size(); ++i)
    script += fmt::format("{}{} {}", i == 0 ? "" : ", ", gnuplot_format(layout.labels[i]), i);
  return script + ")\n";
}

std::string bars(const BarChart& chart, bool highlighted) {
  std::vector<std::vector<double>> rows;
  for (std::size_t i = 0; i < chart.bars.size(); ++i)
    if (chart.bars[i].highlighted == highlighted)
      rows.push_back({static_cast<double>(i), chart.bars[i].value});
  // gnuplot refuses an empty block; a bar beyond the axis is not seen.
  if (rows.empty()) rows.push_back({-10, 0});
  return data_block(highlighted ? "highlighted" : "others", rows);
}

std::string script_of(const BarChart& chart, const Layout& layout) {
  std::string script = axes(chart, layout) + bars(chart, true) + bars(chart, false);
  std::vector<std::vector<double>> errors;
  for (std::size_t i = 0; i < chart.bars.size(); ++i) {
    const Bar& bar = chart.bars[i];
    if (error_of(bar) > 0) errors.push_back({static_cast<double>(i), bar.value, error_of(bar)});
    script += fmt::format("set label {} at {}, {} center front textcolor rgb '{}'\n",
                          gnuplot_string(formatted(chart.value_format, bar.value)), i,
                          number(label_height(chart, layout, bar)), hex(ink));
  }
  if (!errors.empty()) script += data_block("errors", errors);
  script +=
      fmt::format("plot $highlighted using 1:2 with boxes fillstyle solid 1 border linecolor rgb '{}'{}",
                  hex(highlighted_colour),
                  chart.highlighted_name.empty() ? "" : " title " + gnuplot_string(chart.highlighted_name));
  script += fmt::format(", $others using 1:2 with boxes fillstyle pattern 4 border linecolor rgb '{}'{}",
                        hex(other_colour),
                        chart.other_name.empty() ? "" : " title " + gnuplot_string(chart.other_name));
  if (layout.minimum < 0)
    script += fmt::format(", 0 with lines linewidth 1 linecolor rgb '{}'", hex(faint_ink));
  if (chart.reference != 0)
    script += fmt::format(
        ", {} with lines linewidth 1.5 dashtype (8,5) linecolor rgb '{}'{}", number(chart.reference),
        hex(faint_ink), chart.reference_name.empty() ? "" : " title " + gnuplot_string(chart.reference_name));
  if (!errors.empty())
    script += fmt::format(
        ", $errors using 1:2:3 with yerrorbars pointtype 0 pointsize 0 linewidth 1.5 linecolor rgb '{}'",
        hex(ink));
  return script + "\n";
}

}  // namespace

void draw(const BarChart& chart, const std::filesystem::path& stem) {
  TORCH_CHECK(!chart.bars.empty(), "bar chart: no bars");
  const Layout layout = place(chart);
  write_drawing(run_chart(script_of(chart, layout), layout.width, height, chart.title), stem);
}

}  // namespace whence::report
