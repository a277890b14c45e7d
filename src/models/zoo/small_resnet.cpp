#include <fmt/format.h>

#include "models/zoo/blocks.h"

namespace whence::models {
namespace {

/// relu(x + F(x)); returns the name of its last layer.
std::string add_residual_block(nn::Network& network, const std::string& name, std::int64_t width,
                               const std::string& input) {
  add_convolution(network, name + "_conv1", {width, 3, 1, 1}, input);
  network.add(name + "_conv2", nn::Conv2d{width, 3, 1, 1, false});
  network.add(name + "_conv2_norm", nn::BatchNorm2d{});
  network.add(name + "_sum", nn::Add{}, {name + "_conv2_norm", input});
  network.add(name + "_relu", nn::Relu{});
  return name + "_relu";
}

}  // namespace

nn::Network small_resnet(const ClassifierShape& shape) {
  const std::int64_t width = checked_width("the small ResNet", shape, {}, 16);
  nn::Network network("resnet", shape.image);
  std::string last = add_convolution(network, "conv", {width, 3, 1, 1});
  for (const int block : {1, 2, 3}) {
    last = add_residual_block(network, fmt::format("block{}", block), width, last);
  }
  network.add("pool", nn::GlobalAvgPool2d{});
  network.add("flatten", nn::Flatten{});
  network.add("fc", nn::Linear{shape.classes});
  return network;
}

}  // namespace whence::models
