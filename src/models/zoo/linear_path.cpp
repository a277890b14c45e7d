#include <fmt/format.h>

#include "models/zoo/blocks.h"

namespace whence::models {
namespace {

/// How often the maps are halved: three times where the sides allow it, else twice.
int levels_of(const AutoencoderShape& shape) {
  const bool three = shape.image.size() == 3 && shape.image[1] % 8 == 0 && shape.image[2] % 8 == 0;
  return three ? 3 : 2;
}

std::int64_t linear_path_width(const AutoencoderShape& shape) {
  return checked_width("the autoencoder with a linear path", shape, {.least = 8, .step = 4}, 32);
}

/// Sub-pixel convolution (Shi et al. 2016): 4 c channels of h x w become c channels of 2 h x 2 w.
void add_subpixels(nn::Network& network, const std::string& name, std::int64_t channels) {
  network.add(name, nn::Conv2d{4 * channels, 3, 1, 1});
  const nn::Shape map = network.layers().back().shape;
  network.add(name + "_split", nn::Reshape{{channels, 2, 2, map[1], map[2]}});
  network.add(name + "_order", nn::Permute{{0, 3, 1, 4, 2}});
  network.add(name + "_pixels", nn::Reshape{{channels, 2 * map[1], 2 * map[2]}});
}

}  // namespace

nn::Network linear_path_encoder(const AutoencoderShape& shape) {
  const std::int64_t width = linear_path_width(shape);
  nn::Network network("linear-path-encoder", shape.image);
  for (int level = 0; level < levels_of(shape); ++level) {
    network.add(fmt::format("conv{}", level + 1), nn::Conv2d{width << level, 3, 2, 1});
    network.add(fmt::format("relu{}", level + 1), nn::Relu{});
  }
  network.add("flatten", nn::Flatten{});
  network.add("bent", nn::Linear{shape.latents});
  network.add("pixels", nn::Flatten{}, {network.layers().front().name});
  network.add("linear", nn::Linear{shape.latents});
  network.add("sum", nn::Add{}, {"bent", "linear"});
  network.add("mean", nn::ScaleShift{});
  network.add("log_variance", nn::Linear{shape.latents}, {"flatten"});
  network.set_outputs({"mean", "log_variance"});
  return network;
}

nn::Network linear_path_decoder(const AutoencoderShape& shape) {
  const std::int64_t width = linear_path_width(shape);
  const nn::Shape& image = shape.image;
  const int levels = levels_of(shape);
  const nn::Shape map = {width << (levels - 1), image[1] >> levels, image[2] >> levels};
  nn::Network network("linear-path-decoder", {shape.latents});
  network.add("scale", nn::ScaleShift{});
  network.add("fc", nn::Linear{map[0] * map[1] * map[2]});
  network.add("fc_relu", nn::Relu{});
  network.add("fc_map", nn::Reshape{map});
  for (int level = 1; level < levels; ++level) {
    add_subpixels(network, fmt::format("conv{}", level), map[0] >> level);
    network.add(fmt::format("relu{}", level), nn::Relu{});
  }
  add_subpixels(network, "bent", image[0]);
  network.add("linear", nn::Linear{image[0] * image[1] * image[2]}, {"scale"});
  network.add("linear_image", nn::Reshape{image});
  network.add("sum", nn::Add{}, {"bent_pixels", "linear_image"});
  network.add("clamp", nn::Hardtanh{0, 1});
  return network;
}

}  // namespace whence::models
