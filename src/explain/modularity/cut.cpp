#include "whence/explain/modularity/cut.h"

#include <optional>

#include "explain/flow/classify.h"
#include "whence/core/error.h"
#include "whence/core/names.h"

namespace whence::modularity {
namespace {

using nn::LayerId;

const nn::Network& layers_of(const models::Decoder& decoder) {
  if (decoder.network() == nullptr)
    fail_usage(
        "the layers of this decoder are not known, so its channels cannot be swapped; `whence import` names "
        "the "
        "operation that is missing");
  return *decoder.network();
}

bool has_channels(const nn::Layer& layer) { return layer.shape.size() == 3; }

/// Which layers depend on a given one, which is one of them.
std::vector<bool> dependents(const nn::Network& network, LayerId from) {
  const auto& layers = network.layers();
  std::vector<bool> depends(layers.size(), false);
  depends[from] = true;
  for (LayerId id = from + 1; id < layers.size(); ++id)
    for (const LayerId input : layers[id].inputs) depends[id] = depends[id] || depends[input];
  return depends;
}

/// Which layers the image needs.
std::vector<bool> needed(const nn::Network& network) {
  const auto& layers = network.layers();
  std::vector<bool> need(layers.size(), false);
  need[network.outputs().front()] = true;
  for (LayerId id = layers.size(); id-- > 0;)
    if (need[id])
      for (const LayerId input : layers[id].inputs) need[input] = true;
  return need;
}

LayerId first_convolution(const nn::Network& network) {
  const auto& layers = network.layers();
  for (LayerId id = 0; id < layers.size(); ++id)
    if (std::holds_alternative<nn::Conv2d>(layers[id].op) ||
        std::holds_alternative<nn::ConvTranspose2d>(layers[id].op))
      return id;
  fail_usage("network \"{}\" has no convolution; name the layer whose channels are to be swapped",
             network.name());
}

LayerId layer_of(const nn::Network& network, std::string_view name) {
  if (name.empty()) return first_convolution(network);
  std::vector<std::string_view> names;
  const auto& layers = network.layers();
  for (LayerId id = 0; id < layers.size(); ++id) {
    if (layers[id].name == name) return id;
    if (has_channels(layers[id])) names.push_back(layers[id].name);
  }
  fail_usage("network \"{}\" has no layer '{}'{}; its layers with channels are {}", network.name(), name,
             did_you_mean(name, names), fmt::join(names, ", "));
}

void check_layer(const nn::Network& network, LayerId id) {
  const nn::Layer& layer = network.layers()[id];
  if (!has_channels(layer))
    fail_usage(
        "layer '{}' of network \"{}\" has no channels with height and width, but a shape of {} numbers",
        layer.name, network.name(), fmt::join(layer.shape, "x"));
  if (!dependents(network, 0)[id])
    fail_usage("layer '{}' of network \"{}\" does not depend on the latents", layer.name, network.name());
  if (!dependents(network, id)[network.outputs().front()])
    fail_usage("the image of network \"{}\" does not depend on layer '{}'", network.name(), layer.name);
}

/// Layers before the cut whose outputs are read behind it.
std::vector<LayerId> given_layers(const nn::Network& network, LayerId cut) {
  const std::vector<bool> behind = dependents(network, cut), need = needed(network);
  std::vector<LayerId> given = {cut};
  for (LayerId id = 0; id < network.layers().size(); ++id) {
    if (!behind[id] || !need[id] || id == cut) continue;
    for (const LayerId input : network.layers()[id].inputs)
      if (!behind[input] && std::find(given.begin(), given.end(), input) == given.end())
        given.push_back(input);
  }
  return given;
}

}  // namespace

Channels random_channels(std::int64_t channels, std::int64_t count, at::Generator& generator) {
  const at::Tensor order = at::randperm(channels, generator, at::kLong);
  Channels set;
  for (std::int64_t i = 0; i < count; ++i) set.push_back(order[i].item<std::int64_t>());
  return set;
}

at::Tensor index_of(const Channels& set, const at::Tensor& place) {
  return at::tensor(set, at::TensorOptions(place.device()).dtype(at::kLong));
}

Activations Activations::rows(std::int64_t first, std::int64_t count) const {
  Activations part{maps.narrow(0, first, count), {}};
  for (const at::Tensor& other : others) part.others.push_back(other.narrow(0, first, count));
  return part;
}

Activations Activations::select(const at::Tensor& numbers) const {
  Activations part{maps.index_select(0, numbers), {}};
  for (const at::Tensor& other : others) part.others.push_back(other.index_select(0, numbers));
  return part;
}

Cut::Cut(const models::Decoder& decoder, std::string_view layer, Precision precision)
    : Cut(layers_of(decoder), layer, precision) {}

Cut::Cut(const nn::Network& network, std::string_view layer, Precision precision)
    : network_(network.frozen(precision)), execution_{.precision = precision} {
  const auto& image = network_.output_shape();
  if (image.size() != 3 || (image[0] != 1 && image[0] != 3))
    fail_usage(
        "network \"{}\" generates no images: it returns {} numbers instead of 1 or 3 colours, height and "
        "width",
        network.name(), fmt::join(image, "x"));
  layer_ = layer_of(network_, layer);
  check_layer(network_, layer_);
  given_ = given_layers(network_, layer_);
}

Activations Cut::before(const at::Tensor& codes) const {
  const at::NoGradGuard no_grad;
  std::vector<at::Tensor> values = network_.activations(codes.to(network_.device()), given_, execution_);
  Activations result{values.front(), {}};
  result.others.assign(values.begin() + 1, values.end());
  return result;
}

at::Tensor Cut::behind(const Activations& activations) const {
  const at::NoGradGuard no_grad;
  std::vector<nn::Activation> given = {{layer_, activations.maps}};
  for (std::size_t i = 0; i < activations.others.size(); ++i)
    given.push_back({given_[i + 1], activations.others[i]});
  return network_.forward_from(given, execution_);
}

std::int64_t Cut::samples_within(std::int64_t bytes) const {
  // Twice: an operation's workspace and layout copies are about as large as what it reads and writes.
  return std::clamp<std::int64_t>(bytes / (flow::widest_pair(network_) * 2 * 4), 1, 4096);
}

at::Tensor swapped(const at::Tensor& maps, const at::Tensor& donor, const Channels& set, double strength) {
  for (const std::int64_t channel : set)
    if (channel < 0 || channel >= maps.size(1))
      fail_usage("there is no channel {} to swap; the layer has {}, numbered from 0", channel, maps.size(1));
  if (set.empty()) return maps;
  const at::Tensor which = index_of(set, maps);
  at::Tensor theirs = donor.index_select(1, which).expand({maps.size(0), -1, -1, -1});
  if (strength != 1) theirs = at::lerp(maps.index_select(1, which), theirs, strength);
  return maps.index_copy(1, which, theirs);
}

at::Tensor scaled(const at::Tensor& maps, const at::Tensor& centre, const Channels& set, double factor) {
  return swapped(maps, centre.unsqueeze(0), set, 1 - factor);
}

at::Tensor hybrids(const Cut& cut, const at::Tensor& codes, const std::vector<Donor>& donors) {
  Activations activations = cut.before(codes);
  for (const Donor& donor : donors)
    activations.maps =
        swapped(activations.maps, cut.before(donor.codes).maps, donor.channels, donor.strength);
  return cut.behind(activations);
}

}  // namespace whence::modularity
