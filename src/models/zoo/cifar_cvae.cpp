#include <fmt/format.h>

#include "models/zoo/blocks.h"

namespace whence::models {
namespace {

constexpr std::int64_t kHidden = 512;

std::int64_t cifar_width(const AutoencoderShape& shape) {
  return checked_width("the CIFAR CVAE", shape, {.least = 16, .step = 8}, 128);
}

/// The table's two linear layers before one of the outputs.
void add_head(nn::Network& network, const std::string& name, std::int64_t latents) {
  network.add(name + "_hidden", nn::Linear{kHidden}, {"flatten"});
  network.add(name + "_relu", nn::Relu{});
  network.add(name, nn::Linear{latents});
}

}  // namespace

nn::Network cifar_cvae_encoder(const AutoencoderShape& shape) {
  const std::int64_t width = cifar_width(shape);
  const nn::Conv2d convolutions[] = {
      {width, 3, 2, 1}, {width, 3, 1, 1}, {2 * width, 4, 2, 1}, {2 * width, 4, 1, 1}, {2 * width, 4, 2, 1}};
  nn::Network network("cifar-cvae-encoder", shape.image);
  int number = 0;
  for (const nn::Conv2d& convolution : convolutions) {
    network.add(fmt::format("conv{}", ++number), convolution);
    network.add(fmt::format("relu{}", number), nn::Relu{});
  }
  network.add("flatten", nn::Flatten{});
  add_head(network, "mean", shape.latents);
  add_head(network, "log_variance", shape.latents);
  network.set_outputs({"mean", "log_variance"});
  return network;
}

nn::Network cifar_cvae_decoder(const AutoencoderShape& shape) {
  const std::int64_t width = cifar_width(shape);
  const nn::Shape map = {4 * width, shape.image[1] / 8, shape.image[2] / 8};
  const std::int64_t channels[] = {2 * width, 2 * width, width, width, shape.image[0]};
  nn::Network network("cifar-cvae-decoder", {shape.latents});
  network.add("fc1", nn::Linear{kHidden});
  network.add("relu_fc1", nn::Relu{});
  network.add("fc2", nn::Linear{map[0] * map[1] * map[2]});
  network.add("relu_fc2", nn::Relu{});
  network.add("reshape", nn::Reshape{map});
  for (int i = 0; i < 5; ++i) {
    const bool doubles = i % 2 == 0;
    network.add(fmt::format("conv{}", i + 1),
                nn::ConvTranspose2d{channels[i], 3, doubles ? 2 : 1, 1, doubles ? 1 : 0});
    if (i < 4) network.add(fmt::format("relu{}", i + 1), nn::Relu{});
  }
  network.add("sigmoid", nn::Sigmoid{});
  return network;
}

}  // namespace whence::models
