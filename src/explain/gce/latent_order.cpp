#include "whence/explain/gce/latent_order.h"

#include <numeric>

#include "whence/core/error.h"
#include "whence/explain/flow/information_flow.h"

namespace whence::gce {
namespace {

/// Of each draw of a latent, and of the rest for it: enough to tell which latents matter.
constexpr std::int64_t kDraws = 64;

/// A parameter that has the latents along one of its dimensions.
struct Place {
  at::Tensor parameter;
  std::int64_t dimension;
};
using Places = std::vector<Place>;

[[noreturn]] void refuse(const nn::Layer& layer, const char* place) {
  fail_usage(
      "pretraining reorders latents, so {} must be a linear layer, and {} is not; leave out "
      "explanation.pretraining",
      place, layer.name);
}

void add_all(const nn::Layer& layer, Places& places) {
  for (const nn::NamedTensor& parameter : layer.parameters) places.push_back({parameter.tensor, 0});
}

/// Of the layers that read latents from this one.
void add_readers(const nn::Network& decoder, nn::LayerId read, Places& places) {
  for (nn::LayerId i = 0; i < decoder.layers().size(); ++i) {
    const nn::Layer& layer = decoder.layers()[i];
    if (std::find(layer.inputs.begin(), layer.inputs.end(), read) == layer.inputs.end()) continue;
    if (std::holds_alternative<nn::Linear>(layer.op)) {
      places.push_back({layer.parameters[0].tensor, 1});
    } else if (std::holds_alternative<nn::ScaleShift>(layer.op)) {
      add_all(layer, places);
      add_readers(decoder, i, places);
    } else {
      refuse(layer, "the decoder's first");
    }
  }
}

/// Of the layers that make a head's latents.
void add_writers(const nn::Network& encoder, nn::LayerId written, Places& places) {
  const nn::Layer& layer = encoder.layers()[written];
  const bool linear = std::holds_alternative<nn::Linear>(layer.op);
  if (!linear && !std::holds_alternative<nn::ScaleShift>(layer.op) &&
      !std::holds_alternative<nn::Add>(layer.op))
    refuse(layer, "the encoder's last");
  add_all(layer, places);
  if (linear) return;
  for (const nn::LayerId input : layer.inputs) add_writers(encoder, input, places);
}

Places places_of_latents(const nn::Network& encoder, const nn::Network& decoder) {
  Places places;
  const auto input =
      std::find_if(decoder.layers().begin(), decoder.layers().end(),
                   [](const nn::Layer& layer) { return std::holds_alternative<nn::Input>(layer.op); });
  add_readers(decoder, static_cast<nn::LayerId>(input - decoder.layers().begin()), places);
  for (const nn::LayerId head : encoder.outputs()) add_writers(encoder, head, places);
  return places;
}

}  // namespace

void check_reordering(const nn::Network& encoder, const nn::Network& decoder) {
  places_of_latents(encoder, decoder);
}

void reorder_latents(nn::Network& encoder, nn::Network& decoder, const std::vector<std::int64_t>& order) {
  const at::NoGradGuard no_gradients;
  const at::Tensor rows = at::tensor(order, at::TensorOptions(decoder.device()).dtype(at::kLong));
  for (const auto& [parameter, dimension] : places_of_latents(encoder, decoder))
    parameter.copy_(parameter.index_select(dimension, rows));  // in place: an optimizer may own the memory
}

std::vector<std::int64_t> order_by_flow(const models::Decoder& decoder, const models::Classifier& classifier,
                                        std::uint64_t seed) {
  flow::FlowOptions options;
  options.outer = options.inner = kDraws;
  const std::vector<flow::FlowValue> flows = flow::shared_flows(decoder, classifier, options, seed);
  std::vector<std::int64_t> order(flows.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](std::int64_t a, std::int64_t b) {
    return flows[static_cast<std::size_t>(a)].nats > flows[static_cast<std::size_t>(b)].nats;
  });
  return order;
}

}  // namespace whence::gce
