#include <limits>
#include <sstream>

#include "report/canvas.h"
#include "report/figures.h"

namespace whence::report {
namespace {

constexpr double margin = 16;
constexpr double border = 3;     // coloured frame
constexpr double breathing = 1;  // white line between frame and image: dark classes around dark images
constexpr double swatch = 19;    // of the legend
constexpr double widest_row_label = 150;
constexpr TextStyle title_style{15, true, ink};
constexpr TextStyle legend_style{12, false, ink};
constexpr TextStyle label_style{11.5, false, ink};
constexpr TextStyle axis_style{11.5, false, faint_ink};
constexpr double title_line = 20, legend_line = 25, label_line = 15;

struct LegendPlace {
  std::int64_t index;
  double x;
  int line;
};

/// Where everything goes, in points; computed once, painted on each surface.
struct GridLayout {
  double scale = 1, image_width = 0, image_height = 0;
  double frame = 0;                        // border and breathing space on each side of an image
  double cell_width = 0, cell_height = 0;  // with the gap to the next tile
  double left = 0, top = 0;                // of the first tile
  double width = 0, height = 0;            // of the figure
  double probability_size = 0;
  std::vector<std::vector<std::string>> column_labels;  // their lines
  std::int64_t label_every = 1;  // column labels that would touch each other, even in lines, are thinned out
  double title_bottom = 0, axis_baseline = 0, column_baseline = 0;
  std::vector<std::string> title;
  std::vector<LegendPlace> legend;
  double legend_top = 0;
  std::vector<std::vector<std::string>> row_labels;
};

void check(const ImageGrid& grid) {
  const auto& images = grid.images;
  TORCH_CHECK(images.defined() && images.dim() == 5 && images.numel() > 0 &&
                  (images.size(2) == 1 || images.size(2) == 3),
              "image grid: images must be (rows, columns, 1 or 3, H, W)");
  const auto rows = images.size(0), columns = images.size(1);
  const auto is_grid = [&](const at::Tensor& t) {
    return t.dim() == 2 && t.size(0) == rows && t.size(1) == columns;
  };
  TORCH_CHECK(!grid.probabilities.defined() || is_grid(grid.probabilities),
              "image grid: probabilities must be (rows, columns) = (", rows, ", ", columns, ")");
  const auto labels_fit = [](const std::vector<std::string>& labels, std::int64_t count) {
    return labels.empty() || labels.size() == static_cast<std::size_t>(count);
  };
  TORCH_CHECK(labels_fit(grid.row_labels, rows) && labels_fit(grid.column_labels, columns),
              "image grid: as many labels as rows and columns, or none");
  if (!grid.classes.defined()) return;
  TORCH_CHECK(is_grid(grid.classes) && grid.classes.scalar_type() == at::kLong,
              "image grid: classes must be int64 (rows, columns) = (", rows, ", ", columns, ")");
  TORCH_CHECK(
      grid.classes.min().item<std::int64_t>() >= 0 &&
          grid.classes.max().item<std::int64_t>() < static_cast<std::int64_t>(grid.class_names.size()),
      "image grid: a class without a name in class_names");
}

/// The largest half-integer scale (whole pixels of the PNG) that keeps the tiles within a page's width.
double choose_scale(const ImageGrid& grid, double frame) {
  if (grid.scale > 0) return grid.scale;
  const auto columns = static_cast<double>(grid.images.size(1)),
             rows = static_cast<double>(grid.images.size(0));
  const auto high = static_cast<double>(grid.images.size(3)), wide = static_cast<double>(grid.images.size(4));
  const double room = columns > 12 ? 1240 : 760, gap = 2 * frame + 6;
  const double by_width = (room / columns - gap) / wide, by_height = (1000 / rows - gap) / high;
  const double by_tile = 140 / std::max(high, wide);
  const double scale = std::floor(2 * std::min({by_width, by_height, by_tile})) / 2;
  return std::max(scale, 0.5);
}

double widest(const std::vector<std::string>& labels, const TextStyle& style) {
  double width = 0;
  for (const auto& label : labels) width = std::max(width, text_width(label, style));
  return width;
}

constexpr double after_swatch = 8, between_swatches = 22, after_legend_name = 14;

/// Where a line of the legend begins, behind its name.
double legend_begin(const ImageGrid& grid) {
  return margin +
         (grid.legend_name.empty() ? 0 : text_width(grid.legend_name, legend_style) + after_legend_name);
}

double legend_entry_width(const std::string& name) {
  return swatch + after_swatch + text_width(name, legend_style);
}

/// The least space for the legend: one line with its name and one entry.
double least_legend_width(const ImageGrid& grid) {
  double entry = 0;
  for (const std::string& name : grid.class_names) entry = std::max(entry, legend_entry_width(name));
  return grid.classes.defined() ? legend_begin(grid) + entry + margin : 0;
}

void place_legend(const ImageGrid& grid, GridLayout& layout) {
  const double first = legend_begin(grid);
  double x = first;
  int line = 0;
  for (std::size_t i = 0; i < grid.class_names.size(); ++i) {
    const double width = legend_entry_width(grid.class_names[i]);
    if (x > first && x + width > layout.width - margin) {
      x = first;
      ++line;
    }
    layout.legend.push_back({static_cast<std::int64_t>(i), x, line});
    x += width + between_swatches;
  }
}

/// Thinned labels keep the middle column, which is the unchanged image of a sweep.
std::int64_t first_labelled(std::int64_t columns, std::int64_t every) { return columns / 2 % every; }

/// Whether neighbours among the labels that are left touch; a column without a label leaves room for them.
bool labels_touch(const std::vector<std::string>& labels, double cell_width, std::int64_t every) {
  constexpr double gap = 6;
  const auto columns = static_cast<std::int64_t>(labels.size());
  double free_from = -std::numeric_limits<double>::infinity();
  for (std::int64_t column = first_labelled(columns, every); column < columns; column += every) {
    const std::string& label = labels[static_cast<std::size_t>(column)];
    if (label.empty()) continue;
    const double centre = static_cast<double>(column) * cell_width;
    const double half = text_width(label, label_style) / 2;
    if (centre - half < free_from) return true;
    free_from = centre + half + gap;
  }
  return false;
}

/// Labels of words that would touch each other take several lines, as wide as a column.
std::vector<std::vector<std::string>> column_lines(const std::vector<std::string>& labels,
                                                   double cell_width) {
  std::vector<std::vector<std::string>> single, wrapped;
  bool fit = true;
  for (const std::string& label : labels) {
    single.push_back({label});
    wrapped.push_back(wrap_text(label, label_style, cell_width - 2));
    std::istringstream words(label);
    for (std::string word; words >> word;) fit = fit && text_width(word, label_style) <= cell_width - 2;
  }
  return fit && labels_touch(labels, cell_width, 1) ? wrapped : single;
}

/// Room for the columns' labels below y; returns where it ends.
double place_column_labels(const ImageGrid& grid, double y, GridLayout& layout) {
  layout.column_labels = column_lines(grid.column_labels, layout.cell_width);
  std::size_t lines = 1;
  for (const auto& label : layout.column_labels) lines = std::max(lines, label.size());
  if (lines == 1)
    while (labels_touch(grid.column_labels, layout.cell_width, layout.label_every)) ++layout.label_every;
  y += label_line * static_cast<double>(lines);
  layout.column_baseline = y - 3;
  return y;
}

GridLayout place(const ImageGrid& grid) {
  GridLayout layout;
  const bool framed = grid.classes.defined();
  const auto rows = static_cast<double>(grid.images.size(0)),
             columns = static_cast<double>(grid.images.size(1));
  layout.frame = framed ? border + breathing : 0;
  layout.scale = choose_scale(grid, layout.frame);
  layout.image_height = layout.scale * static_cast<double>(grid.images.size(3));
  layout.image_width = layout.scale * static_cast<double>(grid.images.size(4));
  const double tile_width = layout.image_width + 2 * layout.frame,
               tile_height = layout.image_height + 2 * layout.frame;
  layout.probability_size = std::clamp(tile_width / 3.2, 8.5, 11.0);
  const double under = grid.probabilities.defined() ? layout.probability_size + 5 : 0;
  // Tiles stand on whole points, so that no viewer has to blur an edge.
  layout.cell_width = std::ceil(tile_width + std::clamp(tile_width * 0.09, 4.0, 10.0));
  layout.cell_height = std::ceil(tile_height + under + std::clamp(tile_width * 0.09, 5.0, 10.0));

  const double row_label_width = std::min(
      std::max(widest(grid.row_labels, label_style), widest({grid.row_axis}, axis_style)), widest_row_label);
  layout.left = margin + (grid.row_labels.empty() ? 0 : std::ceil(row_label_width) + 12);
  const double tiles_right = layout.left + (columns - 1) * layout.cell_width + tile_width;
  layout.width = std::ceil(std::max({tiles_right + margin, 300.0, least_legend_width(grid)}));
  for (const auto& label : grid.row_labels)
    layout.row_labels.push_back(wrap_text(label, label_style, row_label_width + 0.5));

  layout.title = wrap_text(grid.title, title_style, layout.width - 2 * margin);
  double y = margin + title_line * static_cast<double>(layout.title.size());
  if (framed) {
    layout.legend_top = y + 4;
    place_legend(grid, layout);
    y = layout.legend_top + legend_line * (layout.legend.empty() ? 0 : layout.legend.back().line + 1);
  }
  if (!layout.title.empty() || framed) y += 6;
  if (!grid.column_axis.empty()) layout.axis_baseline = (y += label_line + 1) - 4;
  if (!grid.column_labels.empty()) y = place_column_labels(grid, y, layout);
  layout.top = std::ceil(y) + 4;
  layout.height = layout.top + (rows - 1) * layout.cell_height + tile_height + under + margin;
  return layout;
}

void paint_head(Canvas& canvas, const ImageGrid& grid, const GridLayout& layout) {
  double baseline = margin + 13;
  for (const auto& line : layout.title) {
    canvas.text(line, margin, baseline, title_style);
    baseline += title_line;
  }
  if (!layout.legend.empty())
    canvas.text(grid.legend_name, margin, layout.legend_top + 16.5, {12, false, faint_ink});
  for (const auto& entry : layout.legend) {
    const double x = entry.x + 2, y = layout.legend_top + legend_line * entry.line + 4;
    const Colour colour = class_colour(entry.index);
    canvas.frame(x, y, swatch - 2, swatch - 2, border, colour);
    canvas.mark(class_mark(entry.index), x + border / 2, y + border / 2, 5, colour);
    canvas.text(grid.class_names[static_cast<std::size_t>(entry.index)], x + swatch + 6, y + 12.5,
                legend_style);
  }
  const auto columns = grid.images.size(1);
  const double tile_width = layout.image_width + 2 * layout.frame;
  const double centre = layout.left + (static_cast<double>(columns - 1) * layout.cell_width + tile_width) / 2;
  if (!grid.column_axis.empty())
    canvas.text(grid.column_axis, centre, layout.axis_baseline, axis_style, Align::centre);
  if (grid.column_labels.empty()) return;
  canvas.text(grid.row_axis, layout.left - 12, layout.column_baseline, axis_style, Align::right);
  for (std::int64_t column = first_labelled(columns, layout.label_every); column < columns;
       column += layout.label_every) {
    const std::vector<std::string>& lines = layout.column_labels[static_cast<std::size_t>(column)];
    double line_baseline = layout.column_baseline - label_line * (static_cast<double>(lines.size()) - 1);
    for (const std::string& line : lines) {
      canvas.text(line, layout.left + static_cast<double>(column) * layout.cell_width + tile_width / 2,
                  line_baseline, label_style, Align::centre);
      line_baseline += label_line;
    }
  }
}

void paint_tile(Canvas& canvas, const ImageGrid& grid, const GridLayout& layout, std::int64_t row,
                std::int64_t column) {
  const double x = layout.left + static_cast<double>(column) * layout.cell_width;
  const double y = layout.top + static_cast<double>(row) * layout.cell_height;
  const double width = layout.image_width + 2 * layout.frame, height = layout.image_height + 2 * layout.frame;
  canvas.image(grid.images[row][column], x + layout.frame, y + layout.frame, layout.scale);
  if (grid.classes.defined()) {
    const auto index = grid.classes[row][column].item<std::int64_t>();
    canvas.frame(x, y, width, height, border, class_colour(index));
    canvas.mark(class_mark(index), x + border / 2, y + border / 2, std::clamp(width / 13, 4.0, 6.0),
                class_colour(index));
  }
  if (!grid.probabilities.defined()) return;
  const TextStyle style{layout.probability_size, false, faint_ink};
  const auto text = fmt::format("{:.2f}", grid.probabilities[row][column].item<double>());
  canvas.text(text, x + width / 2, y + height + layout.probability_size + 2, style, Align::centre);
}

void paint_row_label(Canvas& canvas, const GridLayout& layout, std::size_t row) {
  const auto& lines = layout.row_labels[row];
  const double middle =
      layout.top + static_cast<double>(row) * layout.cell_height + layout.frame + layout.image_height / 2;
  double baseline = middle - label_line * static_cast<double>(lines.size()) / 2 + 11.5;
  for (const auto& line : lines) {
    canvas.text(line, layout.left - 12, baseline, label_style, Align::right);
    baseline += label_line;
  }
}

/// The canvas reads pixels, and one copy is cheaper than a tile at a time.
ImageGrid on_processor(ImageGrid grid) {
  for (at::Tensor* each : {&grid.images, &grid.classes, &grid.probabilities})
    if (each->defined()) *each = each->cpu();
  return grid;
}

}  // namespace

at::Tensor rows(const std::vector<at::Tensor>& tensors) {
  std::vector<at::Tensor> here;
  here.reserve(tensors.size());
  for (const at::Tensor& each : tensors) here.push_back(each.cpu());
  return at::stack(here);
}

void draw(const ImageGrid& given, const std::filesystem::path& stem) {
  check(given);
  const ImageGrid grid = on_processor(given);
  const GridLayout layout = place(grid);
  const Drawing drawing = render(layout.width, layout.height, grid.title, [&](Canvas& canvas) {
    paint_head(canvas, grid, layout);
    for (std::size_t row = 0; row < layout.row_labels.size(); ++row) paint_row_label(canvas, layout, row);
    for (std::int64_t row = 0; row < grid.images.size(0); ++row)
      for (std::int64_t column = 0; column < grid.images.size(1); ++column)
        paint_tile(canvas, grid, layout, row, column);
  });
  write_drawing(drawing, stem);
}

}  // namespace whence::report
