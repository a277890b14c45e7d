#include "whence/explain/gce/latent_order.h"

#include <numeric>

#include "whence/core/error.h"
#include "whence/explain/flow/information_flow.h"

namespace whence::gce {
namespace {

/// Of each draw of a latent, and of the rest for it: enough to tell which latents matter.
constexpr std::int64_t kDraws = 64;

const nn::Layer& linear_layer(const nn::Layer& layer, const char* place) {
  if (!std::holds_alternative<nn::Linear>(layer.op))
    fail_usage(
        "pretraining reorders latents, so {} must be a linear layer, and {} is not; leave out "
        "explanation.pretraining",
        place, layer.name);
  return layer;
}

/// A parameter that has the latents along one of its dimensions.
struct Place {
  at::Tensor parameter;
  std::int64_t dimension;
};

std::vector<Place> places_of_latents(const nn::Network& encoder, const nn::Network& decoder) {
  std::vector<Place> places;
  const auto input =
      std::find_if(decoder.layers().begin(), decoder.layers().end(),
                   [](const nn::Layer& layer) { return std::holds_alternative<nn::Input>(layer.op); });
  const auto input_id = static_cast<nn::LayerId>(input - decoder.layers().begin());
  for (const nn::Layer& layer : decoder.layers())
    if (std::find(layer.inputs.begin(), layer.inputs.end(), input_id) != layer.inputs.end())
      places.push_back({linear_layer(layer, "the decoder's first").parameters[0].tensor, 1});
  for (const nn::LayerId head : encoder.outputs())
    for (const nn::NamedTensor& parameter :
         linear_layer(encoder.layers()[head], "the encoder's last").parameters)
      places.push_back({parameter.tensor, 0});
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
