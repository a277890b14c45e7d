#include "nn/ops/operation.h"
#include "whence/nn/graph/network.h"

namespace whence::nn {
namespace {

/// Whether about half of the layer's outputs will be cut off.
bool is_rectified(const Network& network, const Layer& layer) {
  const auto& layers = network.layers();
  return std::any_of(layers.begin(), layers.end(), [&](const Layer& next) {
    const bool follows = std::any_of(next.inputs.begin(), next.inputs.end(),
                                     [&](LayerId input) { return &layers[input] == &layer; });
    return follows && (std::holds_alternative<Relu>(next.op) || std::holds_alternative<LeakyRelu>(next.op));
  });
}

}  // namespace

void initialise(Network& network, const Initialisation& options, at::Generator& generator) {
  const at::NoGradGuard no_gradients;
  for (const Layer& layer : network.layers()) {
    operation_of(layer.op).initialise(layer.op, {layer, options, is_rectified(network, layer), generator});
  }
}

}  // namespace whence::nn
