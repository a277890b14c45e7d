// Where a network lies.
#include "whence/nn/graph/network.h"

namespace whence::nn {

at::Device Network::device() const {
  for (const Layer& layer : layers_) {
    for (const NamedTensors* own : {&layer.parameters, &layer.buffers})
      if (!own->empty()) return own->front().tensor.device();
  }
  return at::kCPU;
}

void Network::to(at::Device device) {
  for (Layer& layer : layers_) {
    for (NamedTensors* own : {&layer.parameters, &layer.buffers}) {
      for (auto& [name, tensor] : *own) {
        if (tensor.device() == device) continue;
        const bool learned = tensor.requires_grad();
        tensor = tensor.detach().to(device).set_requires_grad(learned);
      }
    }
  }
}

}  // namespace whence::nn
