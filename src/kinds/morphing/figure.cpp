#include "kinds/morphing/study.h"

#include <fmt/format.h>

namespace whence::kinds {
namespace {

using at::Tensor;

/// Images of the path that the figure shows, ends left out: two rows of them.
constexpr std::int64_t kSteps = 6;

Tensor answers_of(const MorphingModels& models, const Tensor& images, Tensor& probabilities) {
  const auto [probability, label] = models.classifier.logits(images.flatten(0, 1)).softmax(1).max(1);
  probabilities = probability.view({images.size(0), images.size(1)});
  return label.view({images.size(0), images.size(1)});
}

std::string name_at(const MorphingModels& models, const Tensor& labels, std::int64_t i) {
  return models.class_names[static_cast<std::size_t>(labels[i].item<std::int64_t>())];
}

}  // namespace

report::ImageGrid morph_figure(const MorphStudy& study, const MorphingModels& models, std::int64_t shown) {
  const at::NoGradGuard no_grad;
  shown = std::min(shown, study.rows.size(0));
  const auto first = [&](const Tensor& rows) { return rows.narrow(0, 0, shown); };
  const Tensor places = at::linspace(0, 1, kSteps + 2).narrow(0, 1, kSteps);
  const Tensor path = counterfactual::code_path(first(study.morphs.codes), first(study.morphs.moved), places,
                                                counterfactual::PathKind::radial);
  const Tensor residual =
      study.residual.defined() ? first(study.residual).repeat({kSteps, 1, 1, 1}) : Tensor();
  const Tensor between = counterfactual::decode_with(models.model.decoder, path.flatten(0, 1), residual);
  std::vector<Tensor> rows = {first(study.images), first(study.reconstructions)};
  report::ImageGrid grid;
  grid.title = "What each image would be as another class";
  grid.row_labels = {"original", study.residual.defined() ? "with its residual" : "reconstruction"};
  for (std::int64_t i = 0; i < kSteps; ++i) {
    rows.push_back(between.narrow(0, i * shown, shown));
    grid.row_labels.push_back(fmt::format("path {:.2f}", places[i].item<double>()));
  }
  rows.push_back(first(study.ways.front().after));
  grid.row_labels.emplace_back("morph");
  grid.images = at::stack(rows);
  grid.classes = answers_of(models, grid.images, grid.probabilities);
  grid.class_names = models.class_names;
  grid.legend_name = "the classifier says:";
  for (std::int64_t i = 0; i < shown; ++i)
    grid.column_labels.push_back(
        fmt::format("{} to {}", name_at(models, study.morphs.from, i), name_at(models, study.morphs.to, i)));
  grid.column_axis = "the classifier's answer, and the class that is asked for";
  return grid;
}

report::ImageGrid ways_figure(const MorphStudy& study, const MorphingModels& models, std::int64_t shown) {
  shown = std::min(shown, study.rows.size(0));
  const auto first = [&](const Tensor& rows) { return rows.narrow(0, 0, shown).expand({shown, 3, -1, -1}); };
  report::ImageGrid grid;
  grid.title = "Changes of pixels: added (red) and removed (blue)";
  std::vector<Tensor> rows = {first(study.images)};
  grid.row_labels = {"original"};
  for (const Way& way : study.ways) {
    const Tensor before = changes_the_image(way) ? study.images : study.reconstructions;
    rows.push_back(first(way.after));
    rows.push_back(report::heat_map((way.after - before).narrow(0, 0, shown).sum(1)));
    grid.row_labels.push_back(way.title);
    grid.row_labels.emplace_back("its change");
  }
  grid.images = at::stack(rows);
  for (std::int64_t i = 0; i < shown; ++i)
    grid.column_labels.push_back(
        fmt::format("{} to {}", name_at(models, study.morphs.from, i), name_at(models, study.morphs.to, i)));
  return grid;
}

}  // namespace whence::kinds
