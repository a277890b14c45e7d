#include <fmt/format.h>

#include "models/zoo/blocks.h"

namespace whence::models {
namespace {

/// BN, ReLU, convolution: the order of Huang et al.
void add_preactivated(nn::Network& network, const std::string& name, nn::Conv2d convolution) {
  network.add(name + "_norm", nn::BatchNorm2d{});
  network.add(name + "_relu", nn::Relu{});
  convolution.bias = false;
  network.add(name, convolution);
}

/// Returns the name of its last layer, whose channels are the input's and `growth` new ones.
std::string add_dense_layer(nn::Network& network, const std::string& name, std::int64_t growth,
                            const std::string& input) {
  add_preactivated(network, name + "_conv1", {2 * growth, 1});
  add_preactivated(network, name + "_conv2", {growth, 3, 1, 1});
  network.add(name, nn::Concat{}, {input, name + "_conv2"});
  return name;
}

}  // namespace

nn::Network small_densenet(const ClassifierShape& shape) {
  const std::int64_t growth = checked_width("the small DenseNet", shape, {.least = 2}, 16);
  nn::Network network("densenet", shape.image);
  network.add("conv", nn::Conv2d{2 * growth, 3, 1, 1, false});
  std::string last = "conv";
  for (const int layer : {1, 2, 3}) {
    last = add_dense_layer(network, fmt::format("dense{}", layer), growth, last);
  }
  const std::int64_t channels = network.output_shape()[0];
  add_preactivated(network, "transition", {channels / 2, 1});
  network.add("transition_pool", nn::AvgPool2d{2, 2});
  network.add("norm", nn::BatchNorm2d{});
  network.add("relu", nn::Relu{});
  network.add("pool", nn::GlobalAvgPool2d{});
  network.add("flatten", nn::Flatten{});
  network.add("fc", nn::Linear{shape.classes});
  return network;
}

}  // namespace whence::models
