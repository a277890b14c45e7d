#include <limits>

#include "report/gnuplot.h"
#include "report/text.h"
#include "whence/report/figures.h"

namespace whence::report {
namespace {

constexpr double width = 760, left = 84, right = 24, panel_height = 150, legend_line = 26, bottom = 52;
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

/// Long series keep the lowest and the highest point of every stretch, so that no spike is lost.
Points thinned(const Series& series) {
  const std::size_t count = series.x.size();
  Points points;
  if (count <= most_points) {
    for (std::size_t i = 0; i < count; ++i) points.push_back({series.x[i], series.y[i]});
    return points;
  }
  const std::size_t stretches = most_points / 2;
  for (std::size_t s = 0; s < stretches; ++s) {
    const auto begin = static_cast<std::ptrdiff_t>(s * count / stretches),
               end = static_cast<std::ptrdiff_t>((s + 1) * count / stretches);
    const auto [low, high] = std::minmax_element(series.y.begin() + begin, series.y.begin() + end);
    const auto first = std::min(low, high) - series.y.begin(), last = std::max(low, high) - series.y.begin();
    for (const auto i : {first, last})
      points.push_back({series.x[static_cast<std::size_t>(i)], series.y[static_cast<std::size_t>(i)]});
  }
  return points;
}

void check(const LineChart& chart) {
  TORCH_CHECK(!chart.panels.empty(), "line chart: no panels");
  for (const auto& panel : chart.panels)
    for (const auto& series : panel.series)
      TORCH_CHECK(series.x.size() == series.y.size(), "line chart: series ", series.name, " has ",
                  series.x.size(), " x and ", series.y.size(), " y");
}

bool drawable(const Panel& panel, double x, double y) {
  return std::isfinite(x) && std::isfinite(y) && (!panel.logarithmic || y > 0);
}

Range horizontal_range(const LineChart& chart) {
  Range range;
  for (const auto& panel : chart.panels)
    for (const auto& series : panel.series)
      for (const double x : series.x)
        if (std::isfinite(x)) range.include(x);
  if (range.empty()) range = {0, 1};
  if (range.low == range.high) range = {range.low - 0.5, range.high + 0.5};
  return range;
}

Range vertical_range(const Panel& panel) {
  Range range;
  for (const auto& series : panel.series)
    for (std::size_t i = 0; i < series.x.size(); ++i)
      if (drawable(panel, series.x[i], series.y[i])) range.include(series.y[i]);
  if (panel.logarithmic) {
    if (range.empty()) range = {0.1, 1};
    const double room = std::max(std::pow(range.high / range.low, 0.06), 1.05);
    return {range.low / room, range.high * room};
  }
  if (range.empty()) range = {0, 1};
  const double room =
      range.high > range.low ? 0.06 * (range.high - range.low) : std::max(std::abs(range.high) * 0.1, 1e-6);
  return {range.low - room, range.high + room};
}

std::string legend_title(const Panel& panel, const Series& series) {
  return panel.series.size() > 1 && !series.name.empty() ? " title " + gnuplot_string(series.name) : "";
}

std::string plot_panel(const Panel& panel, std::size_t index) {
  static constexpr const char* dashes[] = {"solid", "(10,4)", "(3,3)", "(12,3,3,3)"};
  std::string data, plots;
  for (std::size_t s = 0; s < panel.series.size(); ++s) {
    const auto& series = panel.series[s];
    if (series.x.empty()) continue;
    const std::string name = fmt::format("panel{}series{}", index, s);
    data += data_block(name, thinned(series));
    plots += fmt::format("{}${} using 1:2 with lines linewidth 1.75 dashtype {} linecolor rgb '{}'{}",
                         plots.empty() ? "" : ", ", name, dashes[s % std::size(dashes)],
                         hex(class_colour(static_cast<std::int64_t>(s))), legend_title(panel, series));
  }
  return data + "plot " + (plots.empty() ? "NaN notitle" : plots) + "\n";
}

std::string script_of(const LineChart& chart, const std::vector<std::string>& title, double height) {
  const Range horizontal = horizontal_range(chart);
  std::string script = chart_style() + "set multiplot\n";
  script += fmt::format("set lmargin at screen {:.5f}\nset rmargin at screen {:.5f}\n", left / width,
                        1 - right / width);
  script += fmt::format("set xrange [{}:{}]\n", number(horizontal.low), number(horizontal.high));
  script += chart_title(title, height);
  double y = chart_margin + chart_title_line * static_cast<double>(title.size());
  for (std::size_t p = 0; p < chart.panels.size(); ++p) {
    const Panel& panel = chart.panels[p];
    const Range vertical = vertical_range(panel);
    y += legend_line;
    script += fmt::format("set tmargin at screen {:.5f}\nset bmargin at screen {:.5f}\n", 1 - y / height,
                          1 - (y + panel_height) / height);
    script += fmt::format(
        "set key at graph 0, screen {:.5f} left center horizontal Left reverse samplen 2.5 width 1\n",
        1 - (y - 11) / height);
    script += fmt::format("set yrange [{}:{}]\n", number(vertical.low), number(vertical.high));
    script +=
        panel.logarithmic ? "set logscale y\nset format y '%g'\n" : "unset logscale y\nset format y '%h'\n";
    script += fmt::format("set ylabel {} textcolor rgb '{}' offset -0.5,0\n",
                          gnuplot_string(panel.value_axis), hex(faint_ink));
    const bool last = p + 1 == chart.panels.size();
    script += last ? fmt::format("set format x '%h'\nset xlabel {} textcolor rgb '{}'\n",
                                 gnuplot_string(chart.horizontal_axis), hex(faint_ink))
                   : "set format x ''\n";
    script += plot_panel(panel, p);
    if (p == 0) script += "unset label\n";
    y += panel_height;
  }
  return script + "unset multiplot\n";
}

}  // namespace

void draw(const LineChart& chart, const std::filesystem::path& stem) {
  check(chart);
  const auto title = wrap_text(chart.title, chart_title_style, width - left - right);
  const double height = chart_margin + chart_title_line * static_cast<double>(title.size()) +
                        (legend_line + panel_height) * static_cast<double>(chart.panels.size()) + bottom;
  write_drawing(run_chart(script_of(chart, title, height), width, height, chart.title), stem);
}

}  // namespace whence::report
