#include "whence/explain/visualization/objective.h"

#include <ATen/ATen.h>

#include "whence/core/error.h"

namespace whence::visualization {
namespace {

const nn::Network& network_of(const models::Classifier& classifier, Goal goal) {
  if (classifier.network() == nullptr)
    fail("the objective '{}' needs the classifier's layers, which are unknown: {}", name_of(goal),
         classifier.why_opaque().empty() ? "it is known as a function only" : classifier.why_opaque());
  return *classifier.network();
}

nn::LayerId layer_of(const models::Classifier& classifier, const Objective& objective) {
  const nn::Network& network = network_of(classifier, objective.goal);
  if (objective.layer.empty())
    fail_usage("the objective '{}' is about a layer; name one of {}", name_of(objective.goal),
               network.name());
  return network.find(objective.layer);
}

bool has_places(const nn::Layer& layer) { return layer.shape.size() == 3; }

void check_range(std::int64_t unit, std::int64_t count, std::string_view what, std::string_view where) {
  if (unit < 0 || unit >= count)
    fail_usage("{} {} is asked about, but {} has the numbers 0 to {}", what, unit, where, count - 1);
}

void check_units(const Objective& objective, std::int64_t count, std::string_view what,
                 std::string_view where) {
  if (objective.units.empty()) fail_usage("the objective '{}' names no {}", name_of(objective.goal), what);
  for (const std::int64_t unit : objective.units) check_range(unit, count, what, where);
}

/// The middle, where none is asked for.
std::pair<std::int64_t, std::int64_t> place_in(const Objective& objective, const nn::Layer& layer) {
  if (!has_places(layer)) {
    if (objective.place)
      fail_usage("layer '{}' has no places; ask for a neuron by its number alone", layer.name);
    return {0, 0};
  }
  if (!objective.place) return {layer.shape[1] / 2, layer.shape[2] / 2};
  check_range(objective.place->first, layer.shape[1], "row", fmt::format("layer '{}'", layer.name));
  check_range(objective.place->second, layer.shape[2], "column", fmt::format("layer '{}'", layer.name));
  return *objective.place;
}

void check_directions(const at::Tensor& directions, const nn::Layer& layer) {
  if (!directions.defined() || directions.dim() != 2 || directions.size(0) == 0)
    fail_usage("the objective 'direction' needs directions as rows (directions, {})", layer.shape[0]);
  if (directions.size(1) != layer.shape[0])
    fail_usage("the directions have {} values, but layer '{}' has {} channels", directions.size(1),
               layer.name, layer.shape[0]);
  const at::Tensor length = directions.norm(2, 1);
  if (!length.isfinite().logical_and(length > 0).all().item<bool>())
    fail_usage("a direction for layer '{}' is zero, NaN or infinity", layer.name);
}

}  // namespace

std::string_view name_of(Goal goal) {
  constexpr std::string_view names[] = {"probability", "logit", "neuron", "channel", "layer", "direction"};
  return names[static_cast<std::size_t>(goal)];
}

bool needs_layer(Goal goal) { return goal != Goal::probability && goal != Goal::logit; }

Response::Response(const models::Classifier& classifier, Objective objective)
    : classifier_(&classifier), objective_(std::move(objective)) {
  units_ = std::ssize(objective_.units);
  if (!needs_layer(objective_.goal)) {
    check_units(objective_, classifier.classes(), "class", "the classifier");
  } else {
    layer_ = layer_of(classifier, objective_);
    const nn::Layer& layer = classifier.network()->layers()[layer_];
    if (objective_.goal == Goal::layer) units_ = 1;
    if (objective_.goal == Goal::neuron || objective_.goal == Goal::channel)
      check_units(objective_, layer.shape[0], has_places(layer) ? "channel" : "unit",
                  fmt::format("layer '{}'", layer.name));
    if (objective_.goal == Goal::neuron) objective_.place = place_in(objective_, layer);
    if (objective_.goal == Goal::direction) {
      check_directions(objective_.directions, layer);
      units_ = objective_.directions.size(0);
      objective_.directions = objective_.directions / objective_.directions.norm(2, 1, true);
    }
  }
  if (classifier.network() == nullptr) return;
  const auto& layers = classifier.network()->layers();
  const nn::LayerId last = needs_layer(objective_.goal) ? layer_ : layers.size() - 1;
  for (nn::LayerId id = 1; id <= last; ++id)
    if (has_places(layers[id]) && layers[id].shape[1] * layers[id].shape[2] > 1) textured_ = id;
}

at::Tensor Response::of_output(const at::Tensor& output) const {
  if (objective_.goal == Goal::layer) return output.flatten(1).square().mean(1, /*keepdim=*/true);
  if (objective_.goal == Goal::direction) {
    const at::Tensor means = output.dim() == 4 ? output.mean({2, 3}) : output;
    return means.matmul(objective_.directions.to(means.options()).t());
  }
  at::Tensor values = objective_.goal == Goal::probability ? output.softmax(1) : output;
  if (values.dim() == 4)
    values = objective_.goal == Goal::neuron
                 ? values.select(3, objective_.place->second).select(2, objective_.place->first)
                 : values.mean({2, 3});
  return values.index_select(1, at::tensor(objective_.units, values.options().dtype(at::kLong)));
}

at::Tensor Response::operator()(const at::Tensor& x) const {
  if (!needs_layer(objective_.goal)) return of_output(classifier_->logits(x));
  return of_output(classifier_->network()->activations(x, std::vector<nn::LayerId>{layer_}).front());
}

Response::Seen Response::with_texture(const at::Tensor& x) const {
  if (!textured_) return {(*this)(x), (x - 0.5).flatten(2)};
  const nn::LayerId last = needs_layer(objective_.goal) ? layer_ : classifier_->network()->outputs().front();
  const std::vector<at::Tensor> values =
      classifier_->network()->activations(x, std::vector<nn::LayerId>{last, *textured_});
  return {of_output(values[0]), values[1].flatten(2)};
}

std::int64_t channels_of(const models::Classifier& classifier, const std::string& layer) {
  const Objective objective = {
      .goal = Goal::channel, .layer = layer, .units = {}, .place = {}, .directions = {}};
  return classifier.network() == nullptr
             ? (layer_of(classifier, objective), 0)
             : classifier.network()->layers()[layer_of(classifier, objective)].shape[0];
}

std::vector<std::string> layers_with_channels(const nn::Network& network) {
  std::vector<std::string> names;
  for (const nn::Layer& layer : network.layers())
    if (std::holds_alternative<nn::Conv2d>(layer.op) && has_places(layer)) names.push_back(layer.name);
  return names;
}

}  // namespace whence::visualization
