#include "report/chart_frame.h"

#include "report/gnuplot.h"

namespace whence::report {
namespace {

constexpr double sample_width = 22, after_sample = 7, between_entries = 22;

std::string joined(const std::vector<std::string>& lines) {
  std::string text;
  for (const auto& line : lines) text += (text.empty() ? "" : "\n") + line;
  return text;
}

}  // namespace

std::string ChartFrame::at(double x, double y) const {
  return fmt::format("screen {:.5f}, screen {:.5f}", x / width_, 1 - y / height_);
}

std::string ChartFrame::style() const {
  return fmt::format(
      "unset key\n"
      "set border 3 linecolor rgb '{axis}'\n"
      "set tics nomirror out scale 0.4 textcolor rgb '{ink}'\n"
      "set grid ytics linetype 1 linewidth 0.75 linecolor rgb '{rule}'\n"
      "set grid back\n"
      "set lmargin at screen {left:.5f}\n"
      "set rmargin at screen {right:.5f}\n",
      fmt::arg("axis", hex(faint_ink)), fmt::arg("ink", hex(ink)), fmt::arg("rule", hex(rule)),
      fmt::arg("left", left_ / width_), fmt::arg("right", 1 - right_ / width_));
}

std::string ChartFrame::axes(double top, double bottom) const {
  return fmt::format("set tmargin at screen {:.5f}\nset bmargin at screen {:.5f}\n", 1 - top / height_,
                     1 - bottom / height_);
}

std::string ChartFrame::title(const std::vector<std::string>& lines) const {
  std::string script;
  double middle = margin + 8;
  for (const auto& line : lines) {
    script += fmt::format("set label {} at {} left font '{}:Bold,{}' textcolor rgb '{}'\n",
                          gnuplot_string(line), at(margin, middle), font_family, title_style.size, hex(ink));
    middle += title_line;
  }
  return script;
}

std::vector<ChartFrame::Place> ChartFrame::places(const std::vector<LegendEntry>& entries) const {
  std::vector<Place> result;
  Place next{margin, 0};
  for (const auto& entry : entries) {
    const double wide = sample_width + after_sample + text_width(entry.name, label_style);
    if (next.x > margin && next.x + wide > width_ - margin) next = {margin, next.line + 1};
    result.push_back(next);
    next.x += wide + between_entries;
  }
  return result;
}

double ChartFrame::legend_height(const std::vector<LegendEntry>& entries) const {
  return entries.empty() ? 0 : legend_line * (places(entries).back().line + 1);
}

std::string ChartFrame::legend(const std::vector<LegendEntry>& entries, double top) const {
  std::string script;
  const auto where = places(entries);
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const auto& entry = entries[i];
    const double x = where[i].x, middle = top + legend_line * (where[i].line + 0.5);
    const std::string colour = hex(entry.colour);
    if (entry.sample == LegendEntry::Sample::line) {
      script +=
          fmt::format("set arrow from {} to {} nohead front linewidth 2 dashtype {} linecolor rgb '{}'\n",
                      at(x, middle), at(x + sample_width, middle), entry.dash, colour);
    } else if (entry.sample == LegendEntry::Sample::ring) {
      script += fmt::format("set label '' at {} front point {} linecolor rgb '{}'\n",
                            at(x + sample_width / 2, middle), ring_mark, colour);
    } else {
      const bool solid = entry.sample == LegendEntry::Sample::solid;
      script += fmt::format(
          "set object rectangle from {} to {} front fillcolor rgb '{}' fillstyle {} border rgb '{}'\n",
          at(x, middle + 5.5), at(x + sample_width, middle - 5.5), colour, solid ? solid_fill : hatched_fill,
          colour);
    }
    script += fmt::format("set label {} at {} left front textcolor rgb '{}'\n", gnuplot_string(entry.name),
                          at(x + sample_width + after_sample, middle), hex(ink));
  }
  return script;
}

std::string ChartFrame::value_axis(const std::string& text, double top, double bottom) const {
  if (text.empty()) return "";
  return fmt::format("set label {} at {} center rotate by 90 textcolor rgb '{}'\n",
                     gnuplot_string(joined(wrap_text(text, axis_style, bottom - top + 20))),
                     at(margin + 6, (top + bottom) / 2), hex(faint_ink));
}

std::string ChartFrame::horizontal_axis(const std::string& text, double middle) const {
  if (text.empty()) return "";
  return fmt::format("set label {} at {} center textcolor rgb '{}'\n", gnuplot_string(text),
                     at((left_ + width_ - right_) / 2, middle), hex(faint_ink));
}

}  // namespace whence::report
