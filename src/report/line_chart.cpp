#include <limits>

#include "report/chart_frame.h"
#include "report/figures.h"
#include "report/gnuplot.h"

namespace whence::report {
namespace {

constexpr double panel_width = 760, panel_left = 92, panel_right = 24, panel_height = 150,
                 between_panels = 10;
constexpr std::size_t most_points = 1200;  // of a series: more than the chart has pixels

struct Range {
  double low = std::numeric_limits<double>::infinity(), high = -std::numeric_limits<double>::infinity();
  void include(double value) {
    low = std::min(low, value);
    high = std::max(high, value);
  }
  bool empty() const { return low > high; }
};

using Points = std::vector<std::vector<double>>;

/// Pixels between the error bars that several series have at one x.
constexpr double between_bars = 5;

/// Long series keep the lowest and the highest point of every stretch, so that no spike is lost; NaN is left
/// out of them.
Points thinned(const Series& series) {
  const std::size_t count = series.x.size();
  Points points;
  if (count <= most_points) {
    for (std::size_t i = 0; i < count; ++i) points.push_back({series.x[i], series.y[i]});
    return points;
  }
  const auto lower = [&](std::size_t a, std::size_t b) { return series.y[a] < series.y[b]; };
  const std::size_t stretches = most_points / 2;
  for (std::size_t s = 0; s < stretches; ++s) {
    std::vector<std::size_t> finite;
    for (std::size_t i = s * count / stretches; i < (s + 1) * count / stretches; ++i)
      if (std::isfinite(series.y[i])) finite.push_back(i);
    if (finite.empty()) continue;
    const auto [low, high] = std::minmax_element(finite.begin(), finite.end(), lower);
    for (const std::size_t i : {std::min(*low, *high), std::max(*low, *high)})
      points.push_back({series.x[i], series.y[i]});
  }
  return points;
}

void check(const LineChart& chart) {
  TORCH_CHECK(!chart.panels.empty(), "line chart: no panels");
  for (const auto& panel : chart.panels)
    for (const auto& series : panel.series) {
      const std::size_t size = series.x.size(), errors = series.errors.size();
      TORCH_CHECK(series.y.size() == size && (errors == 0 || (errors == size && size <= most_points)),
                  "line chart: series ", series.name, " has ", size, " x, ", series.y.size(), " y and ",
                  errors, " errors");
    }
}

bool drawable(double value, bool logarithmic) { return std::isfinite(value) && (!logarithmic || value > 0); }

/// Leaves `share` of the range free at both of its ends.
Range with_room(Range range, double share, bool logarithmic) {
  if (logarithmic) {
    const double room = std::max(std::pow(range.high / range.low, share), 1.05);
    return {range.low / room, range.high * room};
  }
  const double room =
      range.high > range.low ? share * (range.high - range.low) : std::max(std::abs(range.high) * 0.1, 1e-6);
  return {range.low - room, range.high + room};
}

Range horizontal_range(const LineChart& chart) {
  Range range;
  for (const auto& panel : chart.panels)
    for (const auto& series : panel.series)
      for (const double x : series.x)
        if (drawable(x, chart.logarithmic)) range.include(x);
  if (range.empty()) range = chart.logarithmic ? Range{0.1, 1} : Range{0, 1};
  if (chart.points) range = with_room(range, 0.03, chart.logarithmic);
  if (range.low == range.high) range = {range.low - 0.5, range.high + 0.5};
  return range;
}

Range vertical_range(const LineChart& chart, const Panel& panel) {
  Range range;
  for (const auto& series : panel.series)
    for (std::size_t i = 0; i < series.x.size(); ++i) {
      if (!drawable(series.x[i], chart.logarithmic)) continue;
      const double error = series.errors.empty() ? 0 : series.errors[i];
      for (const double y : {series.y[i] - error, series.y[i], series.y[i] + error})
        if (drawable(y, panel.logarithmic)) range.include(y);
    }
  if (panel.reference != 0) range.include(panel.reference);
  if (range.empty()) range = panel.logarithmic ? Range{0.1, 1} : Range{0, 1};
  return with_room(range, 0.06, panel.logarithmic);
}

/// Where a value is drawn that stands so many pixels to the right of x.
double beside(double x, double pixels, const Range& range, bool logarithmic) {
  const double share = pixels / (panel_width - panel_left - panel_right);
  return logarithmic ? x * std::pow(range.high / range.low, share) : x + share * (range.high - range.low);
}

/// {x, lower end, 0, length} of each error bar; those of several series stand side by side, their points where they are.
std::vector<Points> error_bars(const LineChart& chart, const Panel& panel) {
  const auto has_bars = [](const Series& series) { return !series.errors.empty(); };
  const auto bars = std::count_if(panel.series.begin(), panel.series.end(), has_bars);
  const Range range = horizontal_range(chart);
  double pixels = -between_bars * static_cast<double>(bars - 1) / 2;
  std::vector<Points> all;
  for (const Series& series : panel.series) {
    all.emplace_back();
    for (std::size_t i = 0; i < series.errors.size(); ++i)
      all.back().push_back({beside(series.x[i], pixels, range, chart.logarithmic),
                            series.y[i] - series.errors[i], 0, 2 * series.errors[i]});
    if (has_bars(series)) pixels += between_bars;
  }
  return all;
}

std::string dash_of(std::size_t series) {
  static constexpr const char* dashes[] = {"solid", "(10,4)", "(3,3)", "(12,3,3,3)"};
  return dashes[series % std::size(dashes)];
}

/// A single series is named by its axis.
std::vector<LegendEntry> legend_of(const Panel& panel) {
  std::vector<LegendEntry> legend;
  for (std::size_t s = 0; s < panel.series.size() && panel.series.size() > 1; ++s)
    legend.push_back({panel.series[s].marks ? LegendEntry::Sample::ring : LegendEntry::Sample::line,
                      panel.series[s].name, class_colour(static_cast<std::int64_t>(s)), dash_of(s)});
  if (panel.reference != 0 && !panel.reference_name.empty())
    legend.push_back({LegendEntry::Sample::line, panel.reference_name, faint_ink, reference_dash});
  return legend;
}

/// A panel of the same series as the one above it is read by that one's legend.
std::vector<LegendEntry> legend_of(const LineChart& chart, std::size_t panel) {
  const auto names = [](const Panel& of) {
    std::vector<std::string> all;
    for (const Series& series : of.series) all.push_back(series.name);
    return all;
  };
  const Panel& own = chart.panels[panel];
  const bool repeated = panel > 0 && own.reference == 0 && names(own) == names(chart.panels[panel - 1]);
  return repeated ? std::vector<LegendEntry>() : legend_of(own);
}

std::string style_of(const Series& series, std::size_t place, bool points) {
  if (series.marks) return fmt::format("points {}", ring_mark);
  return fmt::format("{} linewidth 1.75 dashtype {}",
                     points ? "linespoints pointtype 7 pointsize 0.7" : "lines", dash_of(place));
}

std::string plot_panel(const LineChart& chart, std::size_t index) {
  const Panel& panel = chart.panels[index];
  const std::vector<Points> bars = error_bars(chart, panel);
  std::string data, plots;
  for (std::size_t s = 0; s < panel.series.size(); ++s) {
    const auto& series = panel.series[s];
    if (series.x.empty()) continue;
    const std::string name = fmt::format("panel{}series{}", index, s);
    const std::string colour = hex(class_colour(static_cast<std::int64_t>(s)));
    data += data_block(name, thinned(series));
    plots += fmt::format("{}${} using 1:2 with {} linecolor rgb '{}'", plots.empty() ? "" : ", ", name,
                         style_of(series, s, chart.points), colour);
    if (bars[s].empty()) continue;
    data += data_block(name + "bars", bars[s]);
    plots += fmt::format(
        ", ${}bars using 1:2:3:4 with vectors heads size screen 0.004,90 linewidth 1.25 linecolor rgb '{}'",
        name, colour);
  }
  if (panel.reference != 0)
    plots += fmt::format("{}{} with lines linewidth 1.5 dashtype {} linecolor rgb '{}'",
                         plots.empty() ? "" : ", ", number(panel.reference), reference_dash, hex(faint_ink));
  return data + "plot " + (plots.empty() ? "NaN" : plots) + "\n";
}

struct PanelLayout {
  struct PanelPlace {
    double legend_top, top, bottom;
  };
  std::vector<std::string> title;
  std::vector<PanelPlace> panels;
  double height = 0;
};

PanelLayout place(const LineChart& chart) {
  PanelLayout layout;
  layout.title = wrap_text(chart.title, ChartFrame::title_style, panel_width - 2 * ChartFrame::margin);
  const ChartFrame frame(panel_width, 1, panel_left, panel_right);
  double y = ChartFrame::margin + ChartFrame::title_line * static_cast<double>(layout.title.size());
  for (std::size_t p = 0; p < chart.panels.size(); ++p) {
    const double legend_top = y + 5, top = legend_top + frame.legend_height(legend_of(chart, p)) + 8;
    layout.panels.push_back({legend_top, top, top + panel_height});
    y = top + panel_height + between_panels;
  }
  layout.height = std::ceil(layout.panels.back().bottom + (chart.horizontal_axis.empty() ? 34 : 58));
  return layout;
}

std::string horizontal_scale(const LineChart& chart) {
  const Range range = horizontal_range(chart);
  std::string script = fmt::format("set xrange [{}:{}]\n", number(range.low), number(range.high));
  if (chart.logarithmic) script += "set logscale x\n";
  std::string ticks;
  for (const double tick : chart.ticks) ticks += fmt::format("{}{}", ticks.empty() ? "" : ", ", number(tick));
  if (!ticks.empty()) script += fmt::format("set xtics ({})\n", ticks);
  return script;
}

std::string script_of(const LineChart& chart, const PanelLayout& layout) {
  const ChartFrame frame(panel_width, layout.height, panel_left, panel_right);
  std::string script = frame.style() + horizontal_scale(chart) + "set multiplot\n" +
                       frame.title(layout.title) +
                       frame.horizontal_axis(chart.horizontal_axis, layout.height - ChartFrame::margin);
  for (std::size_t p = 0; p < chart.panels.size(); ++p) {
    const Panel& panel = chart.panels[p];
    const auto& where = layout.panels[p];
    const Range vertical = vertical_range(chart, panel);
    script += frame.axes(where.top, where.bottom) + frame.legend(legend_of(chart, p), where.legend_top) +
              frame.value_axis(panel.value_axis, where.top, where.bottom);
    script += fmt::format("set yrange [{}:{}]\n", number(vertical.low), number(vertical.high));
    script +=
        panel.logarithmic ? "set logscale y\nset format y '%g'\n" : "unset logscale y\nset format y '%h'\n";
    script += p + 1 == chart.panels.size() ? "set format x '%h'\n" : "set format x ''\n";
    script += plot_panel(chart, p) + "unset label\nunset arrow\n";
  }
  return script + "unset multiplot\n";
}

}  // namespace

Drawing drawing_of(const LineChart& chart) {
  check(chart);
  const PanelLayout layout = place(chart);
  return run_chart(script_of(chart, layout), panel_width, layout.height, chart.title);
}

void draw(const LineChart& chart, const std::filesystem::path& stem) {
  write_drawing(drawing_of(chart), stem);
}

}  // namespace whence::report
