#include <fmt/format.h>

#include "models/zoo/blocks.h"

namespace whence::models {
namespace {

constexpr std::int64_t kFinest = 16;  ///< channels of the map before the image, by the paper's table 1
constexpr double kLeak = 0.2;         ///< Radford et al. 2016

/// A ladder of maps, each twice as large as the one before: from the coarsest to the image.
struct Ladder {
  std::int64_t height, width;          ///< of the coarsest map
  std::vector<std::int64_t> channels;  ///< of the maps, without the image
};

/// Halves an image while its sides stay even and its maps at least 4 x 4. No map has more than `most` times the finest's channels.
Ladder ladder_of(const nn::Shape& image, std::int64_t finest, std::int64_t most) {
  Ladder ladder{image[1], image[2], {}};
  std::int64_t factor = 1;
  while (ladder.height % 2 == 0 && ladder.width % 2 == 0 && std::min(ladder.height, ladder.width) >= 8) {
    ladder.height /= 2;
    ladder.width /= 2;
    ladder.channels.insert(ladder.channels.begin(), finest * std::min(factor, most));
    factor *= 2;
  }
  return ladder;
}

/// An architecture of this family.
struct Family {
  std::string_view who;   ///< begins its errors
  std::string_view name;  ///< of its networks
  std::int64_t finest;    ///< channels of the map before the image, when none are asked for
  std::int64_t most;      ///< times as many the coarsest has at most
};
constexpr Family kBetaVae{"the beta-VAE", "beta-vae", kFinest, 4};
constexpr Family kDcgan{"the DCGAN", "dcgan", kFinest, 8};
constexpr Family kUpsampling{"the upsampling DCGAN", "dcgan-upsampling", kFinest, 8};

Ladder checked_ladder(const Family& family, const AutoencoderShape& shape) {
  return ladder_of(shape.image, checked_width(family.who, shape, {.least = 8, .step = 2}, family.finest),
                   family.most);
}

nn::Network encoder_of(const Family& family, const AutoencoderShape& shape) {
  const Ladder ladder = checked_ladder(family, shape);
  nn::Network network(fmt::format("{}-encoder", family.name), shape.image);
  for (std::size_t i = 1; i <= ladder.channels.size(); ++i) {
    const std::int64_t channels = ladder.channels[ladder.channels.size() - i];
    network.add(fmt::format("conv{}", i), nn::Conv2d{channels, 4, 2, 1, /*bias=*/false});
    network.add(fmt::format("norm{}", i), nn::BatchNorm2d{});
    network.add(fmt::format("relu{}", i), nn::LeakyRelu{kLeak});
  }
  network.add("flatten", nn::Flatten{});
  network.add("mean", nn::Linear{shape.latents}, {"flatten"});
  network.add("log_variance", nn::Linear{shape.latents}, {"flatten"});
  network.set_outputs({"mean", "log_variance"});
  return network;
}

/// `doubling(network, number, channels)` adds the layer that makes a map of twice the sides. `bias`: of the first layer, whose batch norm has one mean for all places of a
/// channel; without it no change of the latents' origin could be part of the weights (whiten_codes).
template <class Doubling>
nn::Network decoder_of(const Family& family, const AutoencoderShape& shape, const Doubling& doubling,
                       bool bias) {
  const Ladder ladder = checked_ladder(family, shape);
  const nn::Shape coarsest = {ladder.channels.front(), ladder.height, ladder.width};
  nn::Network network(fmt::format("{}-decoder", family.name), {shape.latents});
  network.add("fc", nn::Linear{coarsest[0] * coarsest[1] * coarsest[2], bias});
  network.add("reshape", nn::Reshape{coarsest});
  network.add("norm_fc", nn::BatchNorm2d{});
  network.add("relu_fc", nn::Relu{});
  for (std::size_t i = 1; i < ladder.channels.size(); ++i) {
    doubling(network, i, ladder.channels[i], /*bias=*/false);
    network.add(fmt::format("norm{}", i), nn::BatchNorm2d{});
    network.add(fmt::format("relu{}", i), nn::Relu{});
  }
  doubling(network, ladder.channels.size(), shape.image[0], /*bias=*/true);
  network.add("sigmoid", nn::Sigmoid{});
  return network;
}

void add_transposed(nn::Network& network, std::size_t number, std::int64_t channels, bool bias) {
  network.add(fmt::format("conv{}", number),
              nn::ConvTranspose2d{channels, 4, 2, 1, /*output_padding=*/0, bias});
}

void add_upsampling(nn::Network& network, std::size_t number, std::int64_t channels, bool bias) {
  network.add(fmt::format("upsample{}", number), nn::UpsampleNearest2d{2});
  network.add(fmt::format("conv{}", number), nn::Conv2d{channels, 3, 1, 1, bias});
}

}  // namespace

nn::Network beta_vae_encoder(const AutoencoderShape& shape) { return encoder_of(kBetaVae, shape); }
nn::Network beta_vae_decoder(const AutoencoderShape& shape) {
  return decoder_of(kBetaVae, shape, add_transposed, /*bias=*/true);
}
nn::Network dcgan_encoder(const AutoencoderShape& shape) { return encoder_of(kDcgan, shape); }
nn::Network dcgan_decoder(const AutoencoderShape& shape) {
  return decoder_of(kDcgan, shape, add_transposed, /*bias=*/false);
}
nn::Network upsampling_encoder(const AutoencoderShape& shape) { return encoder_of(kUpsampling, shape); }
nn::Network upsampling_decoder(const AutoencoderShape& shape) {
  return decoder_of(kUpsampling, shape, add_upsampling, /*bias=*/false);
}

nn::Network dcgan_discriminator(const DiscriminatorOptions& options) {
  const std::int64_t width = checked_width(
      "the discriminator", AutoencoderShape{options.image, 1, options.width}, {.least = 8, .step = 2}, 32);
  const Ladder ladder = ladder_of(options.image, width, 8);
  nn::Network network("discriminator", options.image);
  for (std::size_t i = 1; i <= ladder.channels.size(); ++i) {
    const std::int64_t channels = ladder.channels[ladder.channels.size() - i];
    const bool norm = options.batch_norm && i > 1;
    network.add(fmt::format("conv{}", i), nn::Conv2d{channels, 4, 2, 1, /*bias=*/!norm});
    if (norm) network.add(fmt::format("norm{}", i), nn::BatchNorm2d{});
    network.add(fmt::format("relu{}", i), nn::LeakyRelu{kLeak});
  }
  network.add("flatten", nn::Flatten{});
  network.add("score", nn::Linear{options.scores});
  return network;
}

}  // namespace whence::models
