#include "kinds/attribution/truth.h"

namespace whence::kinds {
namespace {

constexpr std::int64_t kSide = 64;

/// (C, H, W) with equal pixels made larger, or with fewer pixels, as 3 x 64 x 64.
at::Tensor shown(const at::Tensor& image) {
  return at::upsample_nearest2d(image.unsqueeze(0).to(at::kFloat), {kSide, kSide})[0].expand(
      {3, kSide, kSide});
}

using ResultOf = const attribution::TruthResult& (*)(const attribution::TruthTrial&, std::size_t);

at::Tensor row_of_maps(const TruthTrials& trials, std::size_t method, ResultOf result_of) {
  std::vector<at::Tensor> row;
  for (const attribution::TruthTrial& trial : trials) {
    const at::Tensor& map = result_of(trial, method).map;
    row.push_back(map.defined() ? shown(report::heat_map(map)) : at::full({3, kSide, kSide}, 0.85));
  }
  return at::stack(row);
}

}  // namespace

report::ImageGrid truth_figure(const TruthTrials& trials) {
  report::ImageGrid grid;
  grid.title = "Evidence for the class (red) and against it (blue), beside what is true";
  std::vector<at::Tensor> images, truths;
  for (const attribution::TruthTrial& trial : trials) {
    images.push_back(shown(trial.made.images[0]));
    truths.push_back(shown(report::heat_map(trial.made.truth[0][0])));
    std::string label(trial.problem->name);
    std::replace(label.begin(), label.end(), '_', ' ');
    grid.column_labels.push_back(label);
  }
  std::vector<at::Tensor> rows = {at::stack(images), at::stack(truths)};
  grid.row_labels = {"image", "truth"};
  for (std::size_t i = 0; i < trials.front().methods.size(); ++i) {
    rows.push_back(row_of_maps(trials, i,
                               [](const attribution::TruthTrial& trial, std::size_t method)
                                   -> const attribution::TruthResult& { return trial.methods[method]; }));
    grid.row_labels.emplace_back(trials.front().methods[i].method->title);
  }
  rows.push_back(row_of_maps(
      trials, 0, [](const attribution::TruthTrial& trial, std::size_t) -> const attribution::TruthResult& {
        return trial.edges;
      }));
  grid.row_labels.emplace_back("edge filter");
  grid.images = report::rows(rows);
  grid.row_axis = "method";
  grid.column_axis = "problem";
  return grid;
}

}  // namespace whence::kinds
