#include <cstdio>
#include <sstream>

#include "report/chart_frame.h"
#include "report/figures.h"
#include "report/gnuplot.h"

namespace whence::report {
namespace {

constexpr double chart_height = 400, axis_left = 84, axis_right = 18, tick_line = 16;
constexpr double value_text_height = 14;

const Colour highlighted_colour = class_colour(0);
const Colour other_colour = class_colour(1);

struct BarLayout {
  double width = 0, top = 0, bottom = 0;  // of the axes, in points from the top
  std::vector<std::string> title;
  std::vector<std::string> labels;  // wrapped, with line breaks
  std::vector<LegendEntry> legend;
  double legend_top = 0;
  double minimum = 0, maximum = 1;  // of the axis
  double value_per_point() const { return (maximum - minimum) / (bottom - top); }
  ChartFrame frame() const { return {width, chart_height, axis_left, axis_right}; }
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
  if (minus_zero) return result.substr(1);
  return result.starts_with('-') ? "−" + result.substr(1) : result;
}

double finite(double value) { return std::isfinite(value) ? value : 0; }
double error_of(const Bar& bar) { return std::max(finite(bar.error), 0.0); }

void choose_range(const BarChart& chart, BarLayout& layout) {
  double highest = std::max(finite(chart.reference), 0.0), lowest = std::min(finite(chart.reference), 0.0);
  for (const auto& bar : chart.bars) {
    highest = std::max(highest, finite(bar.value) + error_of(bar));
    lowest = std::min(lowest, finite(bar.value) - error_of(bar));
  }
  // Bias-corrected estimates of nothing scatter around 0; they do not deserve an axis below it.
  if (lowest > -0.03 * highest) lowest = 0;
  const double span = highest > lowest ? highest - lowest : 1;
  layout.minimum = lowest < 0 ? lowest - 0.1 * span : 0;
  layout.maximum =
      chart.maximum > layout.minimum && chart.maximum != 0 ? chart.maximum : highest + 0.13 * span;
}

std::vector<LegendEntry> legend_of(const BarChart& chart) {
  std::vector<LegendEntry> legend;
  if (!chart.highlighted_name.empty())
    legend.push_back({LegendEntry::Sample::solid, chart.highlighted_name, highlighted_colour});
  if (!chart.other_name.empty())
    legend.push_back({LegendEntry::Sample::hatched, chart.other_name, other_colour});
  if (chart.reference != 0 && !chart.reference_name.empty())
    legend.push_back({LegendEntry::Sample::line, chart.reference_name, faint_ink, reference_dash});
  return legend;
}

/// Wide enough for the longest word of the labels, within reason.
double bar_room(const BarChart& chart) {
  double widest = 0;
  for (const auto& bar : chart.bars) {
    std::istringstream words(bar.label);
    for (std::string word; words >> word;)
      widest = std::max(widest, text_width(word, ChartFrame::label_style));
  }
  return std::clamp(widest + 14, 80.0, 140.0);
}

/// The middle of the number above a bar, kept off the reference line.
double label_height(const BarChart& chart, const BarLayout& layout, const Bar& bar) {
  const double point = layout.value_per_point();
  const double middle =
      std::max(finite(bar.value) + error_of(bar), 0.0) + point * (4 + value_text_height / 2);
  const bool collides =
      chart.reference != 0 && std::abs(middle - chart.reference) < point * (value_text_height / 2 + 2);
  return collides ? chart.reference + point * (value_text_height / 2 + 3) : middle;
}

/// Points by which the highest number stands above the axis, where the legend is. Bars that leave the axis are cut off.
double overhang(const BarChart& chart, const BarLayout& layout) {
  const double point = layout.value_per_point();
  double highest = layout.maximum;
  for (const Bar& bar : chart.bars)
    if (bar.value <= layout.maximum)
      highest = std::max(highest, label_height(chart, layout, bar) + point * value_text_height / 2);
  return std::min((highest - layout.maximum) / point, 2 * value_text_height);
}

BarLayout place(const BarChart& chart) {
  BarLayout layout;
  const auto count = static_cast<double>(chart.bars.size());
  layout.width = std::clamp(axis_left + axis_right + bar_room(chart) * count, 460.0, 1320.0);
  const double room = (layout.width - axis_left - axis_right) / (count + 0.2) - 6;
  std::size_t lines = 1;
  for (const auto& bar : chart.bars) {
    const auto wrapped = wrap_text(bar.label, ChartFrame::label_style, room);
    std::string label;
    for (const auto& line : wrapped) label += (label.empty() ? "" : "\n") + line;
    layout.labels.push_back(label);
    lines = std::max(lines, wrapped.size());
  }
  layout.title = wrap_text(chart.title, ChartFrame::title_style, layout.width - 2 * ChartFrame::margin);
  layout.legend = legend_of(chart);
  layout.legend_top =
      ChartFrame::margin + ChartFrame::title_line * static_cast<double>(layout.title.size()) + 5;
  layout.top = layout.legend_top + layout.frame().legend_height(layout.legend) + 12;
  const double lowest = chart_height - 22 - tick_line * static_cast<double>(lines);
  layout.bottom = std::max(lowest, layout.top + 100);
  choose_range(chart, layout);
  layout.top += overhang(chart, layout);
  layout.bottom = std::max(lowest, layout.top + 100);
  return layout;
}

std::string axes(const BarChart& chart, const BarLayout& layout) {
  const ChartFrame frame = layout.frame();
  std::string script = frame.style() + frame.axes(layout.top, layout.bottom) + frame.title(layout.title) +
                       frame.legend(layout.legend, layout.legend_top) +
                       frame.value_axis(chart.value_axis, layout.top, layout.bottom);
  script += fmt::format("set xrange [-0.6:{}]\nset yrange [{}:{}]\nset boxwidth 0.62\nset xtics scale 0 (",
                        static_cast<double>(chart.bars.size()) - 0.4, number(layout.minimum),
                        number(layout.maximum));
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

/// Error bars as vectors with flat heads: gnuplot's own leave a gap around the point.
std::string error_bars(const BarChart& chart) {
  std::vector<std::vector<double>> rows;
  for (std::size_t i = 0; i < chart.bars.size(); ++i) {
    const Bar& bar = chart.bars[i];
    const double error = error_of(bar);
    if (error > 0 && std::isfinite(bar.value))
      rows.push_back({static_cast<double>(i), bar.value - error, 0, 2 * error});
  }
  return rows.empty() ? "" : data_block("errors", rows);
}

std::string script_of(const BarChart& chart, const BarLayout& layout) {
  const std::string errors = error_bars(chart);
  std::string script = axes(chart, layout) + bars(chart, true) + bars(chart, false) + errors;
  for (std::size_t i = 0; i < chart.bars.size(); ++i)
    script += fmt::format("set label {} at {}, {} center front textcolor rgb '{}'\n",
                          gnuplot_string(formatted(chart.value_format, chart.bars[i].value)), i,
                          number(label_height(chart, layout, chart.bars[i])), hex(ink));
  const auto boxes = [](Colour colour, const char* fill) {
    return fmt::format("using 1:2 with boxes linecolor rgb '{0}' fillstyle {1} border rgb '{0}'", hex(colour),
                       fill);
  };
  script += fmt::format("plot $highlighted {}, $others {}", boxes(highlighted_colour, solid_fill),
                        boxes(other_colour, hatched_fill));
  if (layout.minimum < 0)
    script += fmt::format(", 0 with lines linewidth 1 linecolor rgb '{}'", hex(faint_ink));
  if (chart.reference != 0)
    script += fmt::format(", {} with lines linewidth 1.5 dashtype {} linecolor rgb '{}'",
                          number(chart.reference), reference_dash, hex(faint_ink));
  if (!errors.empty())
    script += fmt::format(
        ", $errors using 1:2:3:4 with vectors heads size screen {:.5f},90 fixed linewidth 1.5 linecolor rgb "
        "'{}'",
        5 / layout.width, hex(ink));
  return script + "\n";
}

}  // namespace

void draw(const BarChart& chart, const std::filesystem::path& stem) {
  TORCH_CHECK(!chart.bars.empty(), "bar chart: no bars");
  const BarLayout layout = place(chart);
  write_drawing(run_chart(script_of(chart, layout), layout.width, chart_height, chart.title), stem);
}

}  // namespace whence::report
