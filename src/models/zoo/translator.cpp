#include <fmt/format.h>

#include "models/zoo/blocks.h"

namespace whence::models {
namespace {

constexpr std::int64_t kTranslatorWidth = 32;

/// x + F(x), F: two convolutions with BN, a ReLU between them. Returns the sum's name.
std::string add_translator_block(nn::Network& network, const std::string& name, std::int64_t channels,
                                 const std::string& input) {
  add_convolution(network, name + "_conv1", {channels, 3, 1, 1}, input);
  network.add(name + "_conv2", nn::Conv2d{channels, 3, 1, 1, false});
  network.add(name + "_conv2_norm", nn::BatchNorm2d{});
  network.add(name + "_sum", nn::Add{}, {name + "_conv2_norm", input});
  return name + "_sum";
}

}  // namespace

nn::Network translator_network(const TranslatorOptions& options) {
  const std::int64_t width =
      checked_width("the translator", ClassifierShape{options.image, options.classes, options.width},
                    {.least = 8, .step = 4}, kTranslatorWidth);
  nn::Network network("translator", {options.image[0] + options.classes, options.image[1], options.image[2]});
  add_convolution(network, "conv1", {width, 3, 1, 1});
  add_convolution(network, "conv2", {2 * width, 4, 2, 1});
  std::string last = add_convolution(network, "conv3", {4 * width, 4, 2, 1});
  for (std::int64_t i = 1; i <= options.blocks; ++i)
    last = add_translator_block(network, fmt::format("block{}", i), 4 * width, last);
  network.add("upsample1", nn::UpsampleNearest2d{2});
  add_convolution(network, "conv4", {2 * width, 3, 1, 1});
  network.add("upsample2", nn::UpsampleNearest2d{2});
  add_convolution(network, "conv5", {width, 3, 1, 1});
  network.add("image", nn::Conv2d{options.image[0] + 1, 3, 1, 1});
  network.add("sigmoid", nn::Sigmoid{});
  return network;
}

}  // namespace whence::models
