#include "explain/modularity/upsampling.h"

#include <map>
#include <set>

namespace whence::modularity {
namespace {

using nn::LayerId;

/// Convolutions that can be joined with the doubling in front of them, which nothing else reads.
std::map<LayerId, LayerId> joined_pairs(const nn::Network& network) {
  const auto& layers = network.layers();
  std::vector<int> readers(layers.size(), 0);
  for (const LayerId output : network.outputs()) ++readers[output];
  for (const nn::Layer& layer : layers)
    for (const LayerId input : layer.inputs) ++readers[input];
  std::map<LayerId, LayerId> pairs;
  for (LayerId id = 1; id < layers.size(); ++id) {
    const auto* convolution = std::get_if<nn::Conv2d>(&layers[id].op);
    if (convolution == nullptr) continue;
    const LayerId input = layers[id].inputs.front();
    const auto* doubling = std::get_if<nn::UpsampleNearest2d>(&layers[input].op);
    if (doubling != nullptr && doubling->factor == 2 && readers[input] == 1 && convolution->kernel == 3 &&
        convolution->stride == 1 && convolution->padding == 1)
      pairs[id] = input;
  }
  return pairs;
}

/// (out, in, 3, 3) -> (in, out, 4, 4)
at::Tensor transposed_kernel(const at::Tensor& weight) {
  const at::Tensor turned = weight.flip({2, 3}).transpose(0, 1);
  at::Tensor kernel = at::zeros({weight.size(1), weight.size(0), 4, 4}, weight.options());
  for (const std::int64_t down : {0, 1})
    for (const std::int64_t across : {0, 1}) kernel.narrow(2, down, 3).narrow(3, across, 3).add_(turned);
  return kernel;
}

}  // namespace

nn::Network with_joined_upsampling(const nn::Network& network) {
  const std::map<LayerId, LayerId> pairs = joined_pairs(network);
  std::set<LayerId> left_out;
  for (const auto& [convolution, doubling] : pairs) left_out.insert(doubling);
  const auto& layers = network.layers();
  nn::Network joined(network.name(), network.input_shape());
  nn::NamedTensors state;
  for (LayerId id = 1; id < layers.size(); ++id) {
    if (left_out.contains(id)) continue;
    const nn::Layer& layer = layers[id];
    std::vector<std::string> inputs;
    for (LayerId input : layer.inputs) {
      if (pairs.contains(id)) input = layers[input].inputs.front();
      inputs.push_back(layers[input].name);
    }
    nn::Op op = layer.op;
    if (pairs.contains(id)) {
      const auto& convolution = std::get<nn::Conv2d>(layer.op);
      op = nn::ConvTranspose2d{convolution.channels, 4, 2, 1, 0, convolution.bias};
    }
    joined.add(layer.name, op, inputs);
    for (const nn::NamedTensors* own : {&layer.parameters, &layer.buffers})
      for (const nn::NamedTensor& entry : *own) {
        at::Tensor value = entry.tensor.to(at::kFloat);
        if (pairs.contains(id) && entry.name == "weight") value = transposed_kernel(value);
        state.push_back({layer.name + "." + entry.name, value});
      }
  }
  std::vector<std::string> outputs;
  for (const LayerId output : network.outputs()) outputs.push_back(layers[output].name);
  joined.set_outputs(outputs);
  joined.load_state(state);
  joined.require_gradients(false);
  joined.to(network.device());
  return joined;
}

}  // namespace whence::modularity
