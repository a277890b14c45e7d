// Figures as PNG and SVG. Takes tensors and numbers; knows no method. Colours are safe for colour-blind readers
// (Okabe & Ito 2008) and classes also differ in a second way (line style or mark), so that print works.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace whence::report {

/// Rows of images with coloured borders: sweeps, strips, reconstructions.
struct ImageGrid {
  std::string title;
  at::Tensor images;         ///< float32 in [0, 1], (rows, columns, C, H, W), C = 1 or 3
  at::Tensor classes;        ///< int64 (rows, columns): border colour; undefined: no borders
  at::Tensor probabilities;  ///< float32 (rows, columns): printed under each image; undefined: not printed
  std::vector<std::string> class_names;    ///< the legend
  std::string legend_name;                 ///< in front of it: what borders tell, e.g. "the classifier says:"
  std::vector<std::string> row_labels;     ///< empty, or one per row
  std::string row_axis;                    ///< above the row labels: what they tell, e.g. "true class"
  std::vector<std::string> column_labels;  ///< empty, or one per column
  std::string column_axis;                 ///< e.g. "added to alpha_1"
  double scale = 0;                        ///< points per image pixel; 0 chooses
};

/// The rows of a grid, one tensor each, all of one shape; joined on the processor, wherever each of them lies.
at::Tensor rows(const std::vector<at::Tensor>& tensors);

/// Signed values (..., H, W) as colours (..., 3, H, W) in [0, 1]: red above 0, blue below, white at 0, each map by its own largest
/// absolute value but for the 0.5 % of its pixels beyond which colours no longer deepen.
at::Tensor heat_map(const at::Tensor& values);

struct Bar {
  std::string label;
  double value = 0;
  double error = 0;          ///< half length of the error bar; 0 draws none
  bool highlighted = false;  ///< causal factors against the others
};
struct BarChart {
  std::string title, value_axis;
  std::vector<Bar> bars;
  std::string highlighted_name, other_name;  ///< the legend, e.g. "causal (alpha)", "non-causal (beta)"
  double reference = 0;                      ///< a horizontal line; 0 draws none
  std::string reference_name;                ///< e.g. "most possible: log 3"
  double maximum = 0;                        ///< of the axis; 0 chooses
  std::string value_format = "%.3f";         ///< printf format of the number above each bar
};

struct Series {
  std::string name;
  std::vector<double> x, y;
  bool marks = false;  ///< only its points, as rings, no line through them
  /// Half lengths of error bars, one for each point; empty draws none. Those of several series stand side by side.
  std::vector<double> errors = {};
};
struct Panel {
  std::string value_axis;
  std::vector<Series> series;
  bool logarithmic = false;
  double reference = 0;             ///< a horizontal line; 0 draws none
  std::string reference_name = {};  ///< its entry in the legend
};
/// Panels above each other that share their horizontal axis: training curves.
struct LineChart {
  std::string title, horizontal_axis;
  std::vector<Panel> panels;
  bool points = false;             ///< marks each point: few measurements rather than a curve
  std::vector<double> ticks = {};  ///< the only values marked on the horizontal axis; empty chooses
  bool logarithmic = false;        ///< of the horizontal axis; x above 0 only
};

/// A figure that is drawn but not written.
struct Drawing {
  std::string png, svg;  ///< the files' bytes
};
Drawing drawing_of(const LineChart& chart);

/// Each writes `stem`.png and `stem`.svg (aside, then renamed). Errors: unwritable folder; gnuplot missing (charts).
void draw(const ImageGrid& grid, const std::filesystem::path& stem);
void draw(const BarChart& chart, const std::filesystem::path& stem);
void draw(const LineChart& chart, const std::filesystem::path& stem);

}  // namespace whence::report
