// How a network is run: from the input, from a layer in the middle, with layers changed on the way.
#include <ATen/record_function.h>

#include "nn/graph/computation.h"
#include "nn/graph/shapes.h"
#include "whence/core/error.h"
#include "whence/nn/graph/network.h"

namespace whence::nn {
namespace {

void check_layer(const Network& network, LayerId id) {
  TORCH_CHECK(id < network.layers().size(), "network \"", network.name(), "\" has no layer ", id);
}

void check_shape(const Network& network, const Layer& layer, const at::Tensor& value) {
  if (!value.defined() || value.dim() == 0 || value.sizes().slice(1) != at::IntArrayRef(layer.shape)) {
    fail("network \"{}\", layer \"{}\": expects a batch of {}, not a tensor of shape {}", network.name(),
         layer.name, text_of(layer.shape), value.defined() ? text_of(value.sizes()) : "nothing");
  }
}

Computation from_input(const Network& network, const at::Tensor& x, std::vector<LayerId> wanted) {
  for (const LayerId id : wanted) check_layer(network, id);
  check_shape(network, network.layers().front(), x);
  Computation computation(network, std::move(wanted));
  computation.given[0] = x;
  return computation;
}

Computation with_interventions(const Network& network, const at::Tensor& x, std::vector<LayerId> wanted,
                               const std::vector<Intervention>& interventions) {
  Computation computation = from_input(network, x, std::move(wanted));
  for (const Intervention& intervention : interventions) {
    check_layer(network, intervention.layer);
    const Intervention*& place = computation.interventions[intervention.layer];
    if (place != nullptr) {
      fail("network \"{}\", layer \"{}\": two interventions name this layer; join them in one function",
           network.name(), network.layers()[intervention.layer].name);
    }
    place = &intervention;
  }
  return computation;
}

/// Which layers depend on a given one, or are one.
std::vector<bool> downstream_layers(const Computation& computation) {
  const std::vector<Layer>& layers = computation.network.layers();
  std::vector<bool> downstream(layers.size(), false);
  for (LayerId id = 0; id < layers.size(); ++id) {
    const auto& inputs = layers[id].inputs;
    downstream[id] =
        computation.given[id].defined() ||
        std::any_of(inputs.begin(), inputs.end(), [&](LayerId input) { return downstream[input]; });
  }
  return downstream;
}

std::string names_of_given(const Computation& computation) {
  std::vector<std::string> names;
  for (LayerId id = 0; id < computation.given.size(); ++id) {
    if (computation.given[id].defined())
      names.push_back(fmt::format("\"{}\"", computation.network.layers()[id].name));
  }
  if (names.size() == 1) return "layer " + names.front();
  return fmt::format("the layers {}", fmt::join(names, ", "));
}

/// Error: a wanted layer that also depends on others than the given ones. The latest of these is the one to name.
void check_cut(const Computation& computation, LayerId end) {
  Computation alone(computation.network, {end});
  alone.given = computation.given;
  const std::vector<Layer>& layers = computation.network.layers();
  const std::vector<bool> needed = needed_layers(alone), downstream = downstream_layers(alone);
  for (LayerId id = layers.size(); id-- > 0;) {
    if (!needed[id] || downstream[id]) continue;
    const std::string reason =
        id == end ? "does not depend on it" : fmt::format("also depends on layer \"{}\"", layers[id].name);
    fail("network \"{}\": layer \"{}\" cannot be computed from {} alone, because it {}",
         computation.network.name(), layers[end].name, names_of_given(computation), reason);
  }
}

Computation from_layers(const Network& network, const std::vector<Activation>& given,
                        std::vector<LayerId> wanted) {
  for (const LayerId id : wanted) check_layer(network, id);
  if (given.empty()) fail("network \"{}\": a run needs the output of at least one layer", network.name());
  Computation computation(network, std::move(wanted));
  for (const Activation& activation : given) {
    check_layer(network, activation.layer);
    const Layer& layer = network.layers()[activation.layer];
    check_shape(network, layer, activation.value);
    const std::int64_t batch = activation.value.size(0), first = given.front().value.size(0);
    if (batch != first) {
      fail("network \"{}\", layer \"{}\": a batch of {} is given, but {} for layer \"{}\"", network.name(),
           layer.name, batch, first, network.layers()[given.front().layer].name);
    }
    at::Tensor& place = computation.given[activation.layer];
    if (place.defined())
      fail("network \"{}\", layer \"{}\": its output is given twice", network.name(), layer.name);
    place = activation.value;
  }
  for (const LayerId end : computation.wanted) check_cut(computation, end);
  return computation;
}

std::vector<LayerId> all_layers(const Network& network) {
  std::vector<LayerId> ids(network.layers().size());
  for (LayerId id = 0; id < ids.size(); ++id) ids[id] = id;
  return ids;
}

}  // namespace

at::Tensor Network::forward(const at::Tensor& x, const Execution& execution) const {
  return activations(x, {outputs_.front()}, execution).front();
}

std::vector<at::Tensor> Network::forward_all(const at::Tensor& x, const Execution& execution) const {
  return activations(x, outputs_, execution);
}

std::vector<at::Tensor> Network::activations(const at::Tensor& x, const Execution& execution) const {
  return activations(x, all_layers(*this), execution);
}

std::vector<at::Tensor> Network::activations(const at::Tensor& x, const std::vector<LayerId>& wanted,
                                             const Execution& execution) const {
  RECORD_USER_SCOPE(name_);
  return compute(from_input(*this, x, wanted), execution);
}

at::Tensor Network::intervene(const at::Tensor& x, const std::vector<Intervention>& interventions,
                              const Execution& execution) const {
  RECORD_USER_SCOPE(name_);
  return compute(with_interventions(*this, x, {outputs_.front()}, interventions), execution).front();
}

std::vector<at::Tensor> Network::intervene_all(const at::Tensor& x,
                                               const std::vector<Intervention>& interventions,
                                               const Execution& execution) const {
  RECORD_USER_SCOPE(name_);
  return compute(with_interventions(*this, x, outputs_, interventions), execution);
}

at::Tensor Network::forward_from(const std::vector<Activation>& given, const Execution& execution) const {
  RECORD_USER_SCOPE(name_);
  return compute(from_layers(*this, given, {outputs_.front()}), execution).front();
}

std::vector<at::Tensor> Network::forward_all_from(const std::vector<Activation>& given,
                                                  const Execution& execution) const {
  RECORD_USER_SCOPE(name_);
  return compute(from_layers(*this, given, outputs_), execution);
}

at::Tensor Network::run(LayerId from, LayerId to, const at::Tensor& value, const Execution& execution) const {
  return compute(from_layers(*this, {{from, value}}, {to}), execution).front();
}

}  // namespace whence::nn
