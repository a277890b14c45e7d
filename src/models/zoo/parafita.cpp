#include <fmt/format.h>

#include "models/zoo/blocks.h"

namespace whence::models {
namespace {

/// Convolutions, each with BN and ReLU behind it, and what changes the size between them.
using Listing = std::vector<nn::Op>;

struct ParafitaText {
  std::string_view name, title;
  std::int64_t width;
  Sides classifier_sides, autoencoder_sides;
};

const ParafitaText& text_for(ParafitaSet set) {
  static constexpr ParafitaText mnist{"parafita-mnist", "MNIST", 16, {13}, {13, 3}};
  static constexpr ParafitaText fashion{"parafita-fashion", "FashionMNIST", 32, {13}, {19, 3}};
  static constexpr ParafitaText cifar{"parafita-cifar", "CIFAR-10", 64, {24}, {26, 6}};
  return set == ParafitaSet::mnist ? mnist : set == ParafitaSet::fashion_mnist ? fashion : cifar;
}

nn::Conv2d conv(std::int64_t channels, std::int64_t kernel, std::int64_t stride = 1,
                std::int64_t padding = 0) {
  return {channels, kernel, stride, padding, false};
}
nn::ConvTranspose2d transposed(std::int64_t channels, std::int64_t kernel, std::int64_t stride = 1,
                               std::int64_t padding = 0) {
  return {channels, kernel, stride, padding, 0, false};
}

Listing classifier_listing(ParafitaSet set, std::int64_t w) {
  constexpr nn::MaxPool2d halve{2, 2};
  if (set == ParafitaSet::mnist) return {conv(w, 5, 3, 2), conv(2 * w, 3), conv(4 * w, 3)};
  if (set == ParafitaSet::fashion_mnist) {
    return {conv(w, 3, 1, 1), conv(2 * w, 3, 3, 1), conv(4 * w, 3), conv(4 * w, 3)};
  }
  return {conv(w, 3), conv(w, 3), halve, conv(2 * w, 3), conv(2 * w, 3), halve, conv(4 * w, 3)};
}

Listing encoder_listing(ParafitaSet set, std::int64_t w) {
  if (set == ParafitaSet::cifar10) {
    return {conv(w, 3),     conv(2 * w, 3),       nn::MaxPool2d{2, 2}, conv(4 * w, 3),
            conv(2 * w, 3), conv(2 * w, 5, 3, 2), conv(4 * w, 3)};
  }
  Listing listing = classifier_listing(set, w);
  if (set == ParafitaSet::fashion_mnist) listing.push_back(conv(8 * w, 3));
  return listing;
}

/// Without the last transposed convolution, which gives the image.
Listing decoder_listing(ParafitaSet set, std::int64_t w) {
  if (set == ParafitaSet::mnist) return {transposed(2 * w, 3), transposed(w, 3)};
  if (set == ParafitaSet::fashion_mnist) {
    return {transposed(4 * w, 3), transposed(4 * w, 3), transposed(2 * w, 3), transposed(w, 3, 3, 1)};
  }
  return {transposed(2 * w, 3), transposed(2 * w, 5, 3, 2), transposed(4 * w, 3),
          transposed(2 * w, 3), nn::UpsampleNearest2d{2},   transposed(w, 3)};
}

nn::ConvTranspose2d image_convolution(ParafitaSet set, std::int64_t channels) {
  if (set == ParafitaSet::mnist) return transposed(channels, 5, 3, 2);
  return transposed(channels, 3, 1, set == ParafitaSet::fashion_mnist ? 1 : 0);
}

std::vector<std::int64_t> classifier_hidden(ParafitaSet set, std::int64_t w) {
  if (set == ParafitaSet::mnist) return {8 * w};
  if (set == ParafitaSet::fashion_mnist) return {4 * w};
  return {4 * w, 2 * w};
}

/// As the classifier's last hidden layer.
std::int64_t encoder_hidden(ParafitaSet set, std::int64_t w) { return classifier_hidden(set, w).back(); }

/// "conv1", "conv1_norm", "conv1_relu", "resize1", ...
void add_listing(nn::Network& network, const Listing& listing) {
  int convolutions = 0, resizings = 0;
  for (const nn::Op& op : listing) {
    if (std::holds_alternative<nn::MaxPool2d>(op) || std::holds_alternative<nn::UpsampleNearest2d>(op)) {
      network.add(fmt::format("resize{}", ++resizings), op);
      continue;
    }
    const std::string name = fmt::format("conv{}", ++convolutions);
    network.add(name, op);
    network.add(name + "_norm", nn::BatchNorm2d{});
    network.add(name + "_relu", nn::Relu{});
  }
}

std::int64_t autoencoder_width(ParafitaSet set, const AutoencoderShape& shape) {
  const ParafitaText& text = text_for(set);
  return checked_width(fmt::format("VAE of Parafita 2018 for {}", text.title), shape, text.autoencoder_sides,
                       text.width);
}

/// The encoder up to the map that the decoder starts from.
nn::Network parafita_trunk(ParafitaSet set, const nn::Shape& image, std::int64_t width) {
  nn::Network network(fmt::format("{}-encoder", text_for(set).name), image);
  add_listing(network, encoder_listing(set, width));
  return network;
}

}  // namespace

nn::Network parafita_cnn(ParafitaSet set, const ClassifierShape& shape) {
  const ParafitaText& text = text_for(set);
  const std::int64_t width = checked_width(fmt::format("CNN of Parafita 2018 for {}", text.title), shape,
                                           text.classifier_sides, text.width);
  nn::Network network(fmt::format("{}-cnn", text.name), shape.image);
  add_listing(network, classifier_listing(set, width));
  network.add("flatten", nn::Flatten{});
  int number = 0;
  for (const std::int64_t features : classifier_hidden(set, width)) {
    add_hidden(network, fmt::format("fc{}", ++number), features);
  }
  network.add(fmt::format("fc{}", ++number), nn::Linear{shape.classes});
  return network;
}

nn::Network parafita_encoder(ParafitaSet set, const AutoencoderShape& shape) {
  const std::int64_t width = autoencoder_width(set, shape);
  nn::Network network = parafita_trunk(set, shape.image, width);
  network.add("flatten", nn::Flatten{});
  add_hidden(network, "fc", encoder_hidden(set, width), shape.dropout);
  const std::string hidden = network.layers().back().name;
  network.add("mean", nn::Linear{shape.latents}, {hidden});
  network.add("log_variance", nn::Linear{shape.latents}, {hidden});
  network.set_outputs({"mean", "log_variance"});
  return network;
}

nn::Network parafita_decoder(ParafitaSet set, const AutoencoderShape& shape) {
  const std::int64_t width = autoencoder_width(set, shape);
  const nn::Shape map = parafita_trunk(set, shape.image, width).output_shape();
  nn::Network network(fmt::format("{}-decoder", text_for(set).name), {shape.latents});
  network.add("fc", nn::Linear{map[0] * map[1] * map[2]});
  network.add("fc_norm", nn::BatchNorm1d{});
  network.add("fc_relu", nn::Relu{});
  if (shape.dropout > 0) network.add("fc_drop", nn::Dropout{shape.dropout});
  network.add("reshape", nn::Reshape{map});
  add_listing(network, decoder_listing(set, width));
  network.add("conv_image", image_convolution(set, shape.image[0]));
  network.add("conv_image_norm", nn::BatchNorm2d{});
  network.add("sigmoid", nn::Sigmoid{});
  return network;
}

}  // namespace whence::models
