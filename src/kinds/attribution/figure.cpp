#include "kinds/attribution/comparison.h"

namespace whence::kinds {
namespace {

/// Share of a row's pixels beyond which colours no longer deepen.
constexpr double kBeyond = 0.005;

/// The size of a value that gets the deepest colour.
double scale_of(const at::Tensor& maps) {
  const at::Tensor sizes = maps.abs().flatten();
  const auto beyond = static_cast<std::int64_t>(kBeyond * static_cast<double>(sizes.numel()));
  return std::get<0>(sizes.topk(beyond + 1)).select(0, beyond).item<double>();
}

/// (n, H, W) -> (n, 3, H, W) on one scale: heat_map brings one map to its own scale, so the maps become one.
at::Tensor coloured(const at::Tensor& maps) {
  const std::int64_t count = maps.size(0), height = maps.size(1), width = maps.size(2);
  return report::heat_map(maps.reshape({count * height, width}))
      .view({3, count, height, width})
      .permute({1, 0, 2, 3});
}

}  // namespace

report::ImageGrid attribution_figure(const Comparison& comparison, const at::Tensor& images,
                                     const at::Tensor& target, const std::vector<std::string>& class_names,
                                     std::int64_t shown) {
  shown = std::min(shown, images.size(0));
  report::ImageGrid grid;
  grid.title = "Evidence for the class (red) and against it (blue)";
  std::vector<at::Tensor> rows = {images.narrow(0, 0, shown).expand({shown, 3, -1, -1})};
  grid.row_labels = {"image"};
  for (const MeasuredMaps& each : comparison.methods) {
    const at::Tensor maps = each.found.values.narrow(0, 0, shown).sum(1);
    const bool empty = is_empty(each);
    rows.push_back(coloured(empty ? at::zeros_like(maps) : maps));
    grid.row_labels.push_back(empty ? fmt::format("{} (empty)", each.method->title)
                                    : fmt::format("{} ({:.2g})", each.method->title, scale_of(maps)));
  }
  grid.row_axis = "method (deepest colour)";
  grid.images = report::rows(rows);
  for (std::int64_t i = 0; i < shown; ++i)
    grid.column_labels.push_back(class_names[static_cast<std::size_t>(target[i].item<std::int64_t>())]);
  grid.column_axis = "the explained class";
  return grid;
}

}  // namespace whence::kinds
