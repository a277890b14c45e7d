#include "whence/explain/gce/in_front.h"

#include <map>

namespace whence::gce {
namespace {

class DecoderBehindMap final : public models::Decoder {
 public:
  DecoderBehindMap(const nn::Network& map, const models::Decoder& generator)
      : map_(map.frozen(Precision::float32)), generator_(generator) {
    map_.to(generator.device());
  }
  at::Tensor decode(const at::Tensor& u) const override {
    return generator_.decode(map_.forward(u.to(device())));
  }
  std::int64_t latents() const override { return generator_.latents(); }
  at::Device device() const override { return generator_.device(); }

 private:
  nn::Network map_;
  const models::Decoder& generator_;
};

bool has_layer(const nn::Network& network, const std::string& name) {
  const auto& layers = network.layers();
  return std::any_of(layers.begin(), layers.end(),
                     [&](const nn::Layer& layer) { return layer.name == name; });
}

}  // namespace

nn::Network rotation_network(const at::Tensor& rotation) {
  nn::Network network("rotation", {rotation.size(0)});
  network.add("rotation", nn::Linear{rotation.size(0), /*bias=*/false});
  network.load_state({{"rotation.weight", rotation.to(at::kCPU, at::kFloat).contiguous()}});
  return network;
}

std::unique_ptr<models::Decoder> in_front(const nn::Network& map, const models::Decoder& generator) {
  return std::make_unique<DecoderBehindMap>(map, generator);
}

nn::Network in_front(const nn::Network& map, const nn::Network& generator) {
  nn::Network whole(generator.name(), map.input_shape());
  nn::NamedTensors state;
  std::map<nn::LayerId, std::string> names;
  // Layers of one of the two, whose input is known by now.
  const auto append = [&](const nn::Network& network) {
    const auto& layers = network.layers();
    for (nn::LayerId id = 1; id < layers.size(); ++id) {
      std::string name = layers[id].name;
      while (has_layer(whole, name)) name += "_";
      std::vector<std::string> inputs;
      for (const nn::LayerId input : layers[id].inputs) inputs.push_back(names.at(input));
      whole.add(name, layers[id].op, inputs);
      names[id] = name;
      for (const nn::NamedTensors* tensors : {&layers[id].parameters, &layers[id].buffers})
        for (const nn::NamedTensor& entry : *tensors)
          state.push_back({name + "." + entry.name, entry.tensor.detach().to(at::kCPU)});
    }
  };
  names[0] = whole.layers().front().name;
  append(map);
  const std::string end = names.at(map.outputs().front());
  names = {{0, end}};
  append(generator);
  whole.set_outputs({names.at(generator.outputs().front())});
  whole.load_state(state);
  return whole;
}

}  // namespace whence::gce
