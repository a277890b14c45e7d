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

/// One line a row of values (n, steps).
report::LineChart chart_of(const Tensor& values, const std::vector<std::string>& names) {
  const Tensor all = values.to(at::kCPU, at::kDouble).contiguous();
  report::LineChart chart;
  report::Panel panel;
  for (std::int64_t i = 0; i < all.size(0); ++i) {
    report::Series series{names[static_cast<std::size_t>(i)], {}, {}};
    const double* row = all[i].data_ptr<double>();
    for (std::int64_t step = 0; step < all.size(1); ++step) {
      series.x.push_back(static_cast<double>(step + 1));
      series.y.push_back(row[step]);
    }
    panel.series.push_back(std::move(series));
  }
  chart.panels = {std::move(panel)};
  return chart;
}

report::LineChart gain_chart(const Tensor& gains, const std::vector<std::string>& names) {
  report::LineChart chart = chart_of(gains, names);
  chart.title = "Where on the path the masked pixels raise the probability";
  chart.horizontal_axis = "step of the path, from the other class to the image";
  chart.panels.front().value_axis = "gain of a step";
  return chart;
}

report::LineChart loss_chart(const Tensor& losses, const std::vector<std::string>& names) {
  report::LineChart chart = chart_of(losses, names);
  chart.title = "The search for the masks";
  chart.horizontal_axis = "iteration";
  chart.panels.front().value_axis = "L1 - gain";
  return chart;
}

/// The path from each image's first morph, and the mean of the masks over its morphs.
struct Explained {
  attribution::ImagePaths paths;
  Tensor masks, losses;
};
Explained explain(const attribution::Request& request, const attribution::Options& options) {
  const attribution::ImagePaths paths = attribution::paths_of(request, options, 0);
  const attribution::PathMasks first = attribution::masks_of_paths(request.classifier, paths, options);
  const std::int64_t morphs = options.of<attribution::ImagePath>().morphs;
  Tensor masks = first.masks;
  for (std::int64_t morph = 1; morph < morphs; ++morph)
    masks = masks + attribution::masks_of_paths(request.classifier,
                                                attribution::paths_of(request, options, morph), options)
                        .masks;
  return {paths, masks / static_cast<double>(morphs), first.losses};
}

}  // namespace

PathPictures path_pictures(const models::Classifier& classifier, const at::Tensor& images,
                           const at::Tensor& target, const std::vector<std::string>& class_names,
                           const attribution::Options& options) {
  const at::NoGradGuard no_grad;
  const Explained found = explain({classifier, images, target}, options);
  const attribution::ImagePaths& paths = found.paths;
  const Tensor& masks = found.masks;
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
  grid.title = fmt::format("From each image's {} to the image, and the pixels that carry the change",
                           attribution::by_translation(options) ? "translation" : "morph");
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
    grid.row_labels.push_back(paths.whole ? "image" : "reconstruction");
  }
  grid.row_axis = "classes of the path's ends";
  grid.column_labels = {"image", "", "", "path", "", "", "mask, change"};
  result.gains = gain_chart(attribution::mask_gains(classifier, paths.images, paths.answers, masks), names);
  if (found.losses.defined()) result.losses = loss_chart(found.losses, names);
  return result;
}

}  // namespace whence::kinds
