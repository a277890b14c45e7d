#include "kinds/morphing/path_figure.h"

#include <fmt/format.h>

namespace whence::kinds {
namespace {

using at::Tensor;

/// Images of the path in one row.
constexpr std::int64_t kHalf = 5;

Tensor coloured(const Tensor& images) { return images.expand({images.size(0), 3, -1, -1}); }

/// The mask in green over a faint image: (N, 1, H, W) and (N, C, H, W) to (N, 3, H, W).
Tensor in_green(const Tensor& mask, const Tensor& image) {
  const Tensor strength = mask / mask.flatten(1).amax(1).clamp_min(1e-12).view({-1, 1, 1, 1});
  const Tensor faint = 1 - 0.25 * image.mean(1, true);
  const Tensor rest = faint * (1 - strength);
  return at::cat({rest, faint * (1 - strength) + 0.6 * strength, rest + 0.45 * strength}, 1);
}

report::LineChart gain_chart(const Tensor& gains, const std::vector<std::string>& names) {
  report::LineChart chart;
  chart.title = "Where on the path the masked pixels raise the probability";
  chart.horizontal_axis = "step of the path, from the morph to the image";
  report::Panel panel;
  panel.value_axis = "gain of a step";
  for (std::int64_t i = 0; i < gains.size(0); ++i) {
    report::Series series{names[static_cast<std::size_t>(i)], {}, {}};
    for (std::int64_t step = 0; step < gains.size(1); ++step) {
      series.x.push_back(static_cast<double>(step + 1));
      series.y.push_back(gains[i][step].item<double>());
    }
    panel.series.push_back(std::move(series));
  }
  chart.panels = {std::move(panel)};
  return chart;
}

}  // namespace

PathPictures path_pictures(const models::Classifier& classifier, const at::Tensor& images,
                           const at::Tensor& target, const std::vector<std::string>& class_names,
                           const attribution::Options& options) {
  const at::NoGradGuard no_grad;
  const attribution::ImagePaths paths = attribution::paths_of({classifier, images, target}, options, 0);
  const Tensor masks = attribution::method("path_mask").run(classifier, images, target, options).values;
  const std::int64_t steps = paths.images.size(1);
  const auto on_path = [&](std::int64_t i) {
    return paths.images.select(1, i * (steps - 1) / (2 * kHalf - 1));
  };
  const Tensor last = paths.images.select(1, steps - 1), change = masks * (last - paths.images.select(1, 0));
  std::vector<Tensor> upper = {coloured(images)}, lower = {coloured(last)};
  for (std::int64_t i = 0; i < kHalf; ++i) {
    upper.push_back(coloured(on_path(i)));
    lower.push_back(coloured(on_path(kHalf + i)));
  }
  upper.push_back(in_green(masks, last));
  lower.push_back(report::heat_map(change.sum(1)));
  PathPictures result;
  report::ImageGrid& grid = result.grid;
  grid.title = "From each image's morph to the image, and the pixels that carry the change";
  // (columns, n, ...) twice -> (2 n, columns, ...): the two rows of an image under each other.
  grid.images =
      at::stack({at::stack(upper), at::stack(lower)}).permute({2, 0, 1, 3, 4, 5}).flatten(0, 1).contiguous();
  std::vector<std::string> names;
  for (std::int64_t i = 0; i < images.size(0); ++i) {
    const auto name = [&](const Tensor& label) {
      return class_names[static_cast<std::size_t>(label[i].item<std::int64_t>())];
    };
    names.push_back(fmt::format("{} to {}", name(paths.from), name(paths.answers)));
    grid.row_labels.push_back(names.back());
    grid.row_labels.push_back(options.of<attribution::ImagePath>().end);
  }
  grid.row_axis = "classes of the path's ends";
  grid.column_labels = {"image", "", "", "path", "", "", "mask, change"};
  result.gains = gain_chart(attribution::mask_gains(classifier, paths.images, paths.answers, masks), names);
  return result;
}

}  // namespace whence::kinds
