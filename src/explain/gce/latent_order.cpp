#include "whence/explain/gce/latent_order.h"

#include <numeric>

#include "whence/core/error.h"
#include "whence/explain/gce/flow.h"

namespace whence::gce {
namespace {

/// Of each draw of a latent, and of the rest for it: enough to tell which latents matter.
constexpr std::int64_t kDraws = 64;

const nn::Layer& linear_layer(const nn::Layer& layer, const char* place) {
  if (!std::holds_alternative<nn::Linear>(layer.op))
    fail_usage(
        "latents can be put in order only where {} is a linear layer, and {} is none; leave out "
        "explanation.pretraining",
        place, layer.name);
  return layer;
}

/// In place, as an optimizer may own the memory.
void permute(const at::Tensor& parameter, std::int64_t dimension, const at::Tensor& order) {
  parameter.copy_(parameter.index_select(dimension, order));
}

}  // namespace

void reorder_latents(nn::Network& encoder, nn::Network& decoder, const std::vector<std::int64_t>& order) {
  const at::NoGradGuard no_gradients;
  const at::Tensor rows = at::tensor(order, at::kLong);
  const auto input =
      std::find_if(decoder.layers().begin(), decoder.layers().end(),
                   [](const nn::Layer& layer) { return std::holds_alternative<nn::Input>(layer.op); });
  const auto input_id = static_cast<nn::LayerId>(input - decoder.layers().begin());
  for (const nn::Layer& layer : decoder.layers())
    if (std::find(layer.inputs.begin(), layer.inputs.end(), input_id) != layer.inputs.end())
      permute(linear_layer(layer, "the decoder's first").parameters[0].tensor, 1, rows);
  for (const nn::LayerId head : encoder.outputs())
    for (const nn::NamedTensor& parameter :
         linear_layer(encoder.layers()[head], "the encoder's last").parameters)
      permute(parameter.tensor, 0, rows);
}

std::vector<std::int64_t> order_by_flow(const models::Decoder& decoder, const models::Classifier& classifier,
                                        std::uint64_t seed) {
  FlowOptions options;
  options.outer = options.inner = kDraws;
  options.factors = FactorDraws::shared;
  const FlowReport report = measure_flow(decoder, classifier, 1, options, seed);
  std::vector<std::int64_t> order(report.factors.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](std::int64_t a, std::int64_t b) {
    return report.factors[static_cast<std::size_t>(a)].flow.nats >
           report.factors[static_cast<std::size_t>(b)].flow.nats;
  });
  return order;
}

}  // namespace whence::gce
