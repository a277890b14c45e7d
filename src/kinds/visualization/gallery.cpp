#include "kinds/visualization/gallery.h"

#include <ATen/ATen.h>

#include <chrono>

#include "whence/core/error.h"
#include "whence/explain/visualization/measures.h"

namespace whence::kinds {
namespace {

using visualization::Goal;
using visualization::Objective;

/// Layers that options name, or the last convolution.
std::vector<std::string> chosen_layers(const VisualizationOptions& options,
                                       const models::Classifier& classifier) {
  if (!options.layers.empty() || classifier.network() == nullptr) return options.layers;
  const std::vector<std::string> all = visualization::layers_with_channels(*classifier.network());
  if (all.empty()) fail_usage("the classifier has no convolution; name layers whose units are to be shown");
  return {all.back()};
}

std::vector<std::int64_t> numbers_to(std::int64_t count) {
  std::vector<std::int64_t> numbers(static_cast<std::size_t>(count));
  for (std::int64_t i = 0; i < count; ++i) numbers[static_cast<std::size_t>(i)] = i;
  return numbers;
}

/// Those whose response differs most between images, in their order.
std::vector<std::int64_t> most_telling(Objective objective, std::int64_t count, const GalleryModels& models) {
  const std::int64_t channels = visualization::channels_of(models.classifier, objective.layer);
  objective.units = numbers_to(channels);
  if (count >= channels) return objective.units;
  const visualization::Response response(models.classifier, objective);
  const at::NoGradGuard no_grad;
  const at::Tensor values =
      response(models.images.narrow(0, 0, std::min<std::int64_t>(models.images.size(0), 256)));
  const at::Tensor best =
      std::get<0>(std::get<1>(values.std(at::IntArrayRef{0}, /*unbiased=*/true).topk(count)).sort());
  std::vector<std::int64_t> units;
  for (std::int64_t i = 0; i < count; ++i) units.push_back(best[i].item<std::int64_t>());
  return units;
}

Goal goal_named(const std::string& name) {
  for (int i = 0; i <= static_cast<int>(Goal::direction); ++i)
    if (visualization::name_of(static_cast<Goal>(i)) == name) return static_cast<Goal>(i);
  fail_usage("there is no objective '{}'", name);
}

std::string unit_name(const Objective& objective, std::size_t row, const GalleryModels& models) {
  if (objective.goal == Goal::layer) return objective.layer;
  if (objective.goal == Goal::direction && objective.directions.size(0) != std::ssize(models.class_names))
    return fmt::format("direction {}", row);
  if (objective.goal == Goal::direction) return models.class_names[row];
  const std::int64_t unit = objective.units[row];
  return visualization::needs_layer(objective.goal) ? fmt::format("{} {}", objective.layer, unit)
                                                    : models.class_names[static_cast<std::size_t>(unit)];
}

/// The norm of the data, or of its class.
at::Tensor norms_of(const Objective& objective, const visualization::ImageStatistics& statistics,
                    const visualization::Response& response) {
  const at::Tensor norms = at::full({response.units()}, statistics.norm, statistics.mean.options());
  if (visualization::needs_layer(objective.goal) || !statistics.class_norms.defined()) return norms;
  return statistics.class_norms.index_select(0,
                                             at::tensor(objective.units, norms.options().dtype(at::kLong)));
}

GalleryColumn column_of(const visualization::Response& response, const visualization::Options& options,
                        const visualization::ImageStatistics& statistics, const GalleryModels& models) {
  const auto begun = std::chrono::steady_clock::now();
  visualization::Visualizations found = visualization::visualize(
      response, options, &statistics, models.decoder, models.images.sizes().slice(1).vec());
  GalleryColumn column;
  column.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
  column.images = found.images;
  column.responses = found.responses;
  const at::NoGradGuard no_grad;
  const models::Classifier& judge = models.judge != nullptr ? *models.judge : models.classifier;
  column.seen = judge.logits(found.images.flatten(0, 1)).argmax(1).view(found.responses.sizes());
  return column;
}

}  // namespace

std::string GalleryPage::id() const {
  return layer.empty() ? std::string(visualization::name_of(goal))
                       : fmt::format("{}-{}", visualization::name_of(goal), layer);
}

std::vector<Objective> asked_objectives(const VisualizationOptions& options, const GalleryModels& models,
                                        const std::vector<std::int64_t>& units,
                                        const at::Tensor& directions) {
  std::vector<Objective> all;
  for (const std::string& name : options.objectives) {
    Objective objective{goal_named(name), "", units, {}, {}};
    if (!visualization::needs_layer(objective.goal)) {
      if (units.empty()) objective.units = numbers_to(models.classifier.classes());
      all.push_back(std::move(objective));
      continue;
    }
    std::vector<std::string> layers = chosen_layers(options, models.classifier);
    if (layers.empty()) layers.emplace_back();  // Response says why there is none
    for (const std::string& layer : layers) {
      objective.layer = layer;
      if (objective.goal == Goal::direction)
        objective.directions =
            directions.defined()
                ? directions
                : visualization::class_directions(models.classifier, layer, models.images, models.labels);
      else if (objective.goal != Goal::layer && units.empty())
        objective.units = most_telling(objective, options.units, models);
      all.push_back(objective);
    }
  }
  return all;
}

GalleryPage make_page(const Objective& objective, const VisualizationOptions& options,
                      const GalleryModels& models, const ProgressCallback& progress) {
  const visualization::Response response(models.classifier, objective);
  const auto statistics =
      visualization::statistics_of(models.images, models.labels, std::ssize(models.class_names));
  const auto data =
      visualization::response_of_data(response, models.images, std::max<std::int64_t>(options.real, 1));
  GalleryPage page;
  page.goal = objective.goal;
  page.layer = objective.layer;
  page.units = objective.units;
  for (std::int64_t row = 0; row < response.units(); ++row)
    page.unit_names.push_back(unit_name(objective, static_cast<std::size_t>(row), models));
  page.quantile = data.quantile;
  page.spread = data.spread;
  page.real = models.images.index_select(0, data.largest.flatten())
                  .unflatten(0, {response.units(), data.largest.size(1)})
                  .narrow(1, 0, std::min(options.real, data.largest.size(1)));

  visualization::Options own = options.options;
  own.spread = data.spread;
  own.progress = progress;
  if (options.norm) own.norms = norms_of(objective, statistics, response);
  const auto add = [&](const visualization::Options& how, std::string name, std::string title) {
    page.columns.push_back(column_of(response, how, statistics, models));
    page.columns.back().name = std::move(name);
    page.columns.back().title = std::move(title);
  };
  add(own.without_regularizers(), "control", "control");
  for (const std::string& name : options.parametrizations) {
    const visualization::Parametrization& each = visualization::parametrization(name);
    visualization::Options how = own;
    how.parametrization = name;
    if (each.name != "pixels") how.gaussian_blur = how.bilateral_blur = 0;
    add(how, name, std::string(each.title));
    if (!options.negative) continue;
    how.negative = true;
    add(how, name + "-negative", fmt::format("{}, least", each.title));
  }
  std::vector<at::Tensor> pictures;
  for (const GalleryColumn& column : page.columns) pictures.push_back(column.images.flatten(0, 1));
  const visualization::Distance distance = visualization::distance_to_data(at::cat(pictures), models.images);
  page.typical_distance = distance.typical;
  std::int64_t first = 0;
  for (GalleryColumn& column : page.columns) {
    column.nearest =
        distance.nearest.narrow(0, first, column.responses.numel()).view(column.responses.sizes());
    first += column.responses.numel();
  }
  return page;
}

}  // namespace whence::kinds
