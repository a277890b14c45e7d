// Generators whose parts are known.
#pragma once

#include <gtest/gtest.h>

#include "support/errors.h"
#include "unit/nn/network_support.h"
#include "whence/explain/modularity/cut.h"
#include "whence/nn/graph/network.h"

namespace whence::test_support {

/// 8 x 8 patterns (6, 8, 8): channels 0, 1, 2 act on the upper left quarter of the image, 3 and 4 on the lower right one, 5 on
/// the upper right one.
inline Tensor planted_patterns() {
  Tensor patterns = at::zeros({6, 8, 8});
  const auto quarter = [&](std::int64_t k, std::int64_t row, std::int64_t column) {
    patterns[k].narrow(0, row, 4).narrow(1, column, 4).fill_(static_cast<double>(k + 1));
  };
  for (const std::int64_t k : {0, 1, 2}) quarter(k, 0, 0);
  for (const std::int64_t k : {3, 4}) quarter(k, 4, 4);
  quarter(5, 0, 4);
  return patterns;
}

/// Six latents are the six channels of layer "causes"; the image is the sum of channel k times pattern k.
inline nn::Network planted_generator() {
  nn::Network network("planted", {6});
  network.add("reshape", nn::Reshape{{6, 1, 1}});
  network.add("causes", nn::Conv2d{6, 1, 1, 0, false});
  network.add("image", nn::ConvTranspose2d{1, 8, 1, 0, 0, false});
  network.load_state(
      {{"causes.weight", at::eye(6).view({6, 6, 1, 1})}, {"image.weight", planted_patterns().unsqueeze(1)}});
  return network;
}

/// Six latents are the six channels of layer "causes". All act on the left half of an 8 x 8 image of three colours: channels 0, 1, 2
/// on red, 3 and 4 on green, 5 on blue.
inline nn::Network coloured_generator() {
  nn::Network network("coloured", {6});
  network.add("reshape", nn::Reshape{{6, 1, 1}});
  network.add("causes", nn::Conv2d{6, 1, 1, 0, false});
  network.add("image", nn::ConvTranspose2d{3, 8, 1, 0, 0, false});
  Tensor patterns = at::zeros({6, 3, 8, 8});
  for (const auto& [channel, colour] : {std::pair{0, 0}, {1, 0}, {2, 0}, {3, 1}, {4, 1}, {5, 2}})
    patterns[channel][colour].narrow(1, 0, 4).fill_(static_cast<double>(channel + 1));
  network.load_state({{"causes.weight", at::eye(6).view({6, 6, 1, 1})}, {"image.weight", patterns}});
  return network;
}

/// A decoder with batch norm, upsampling and a connection that leads past its convolutions.
inline nn::Network branching_generator(std::uint64_t seed) {
  nn::Network network("branching", {5});
  network.add("fc", nn::Linear{std::int64_t{6} * 4 * 4});
  network.add("maps", nn::Reshape{{6, 4, 4}});
  network.add("conv1", nn::Conv2d{8, 3, 1, 1}, {"maps"});
  network.add("norm1", nn::BatchNorm2d{});
  network.add("relu1", nn::Relu{});
  network.add("up", nn::UpsampleNearest2d{2});
  network.add("conv2", nn::Conv2d{4, 3, 1, 1});
  network.add("past", nn::UpsampleNearest2d{2}, {"maps"});
  network.add("past_conv", nn::Conv2d{4, 1}, {"past"});
  network.add("sum", nn::Add{}, {"conv2", "past_conv"});
  network.add("relu2", nn::Relu{});
  network.add("image", nn::ConvTranspose2d{3, 4, 2, 1});
  network.add("sigmoid", nn::Sigmoid{});
  Generator generator = make_generator(seed, "test/branching");
  randomise(network, generator);
  return network;
}

/// What the text says: the layer gets `maps` of the first original in which some channels are those of the second; nothing else
/// changes. Runs the whole network.
inline Tensor slow_hybrids(const nn::Network& network, std::string_view layer, const Tensor& first,
                           const Tensor& second, const std::vector<std::int64_t>& channels) {
  const nn::LayerId id = network.find(layer);
  const Tensor theirs = network.activations(second, {id}).front();
  return network.intervene(first, {{id, [&](const Tensor& maps) {
                                      Tensor changed = maps.clone();
                                      for (const std::int64_t k : channels)
                                        changed.select(1, k).copy_(theirs.select(1, k));
                                      return changed;
                                    }}});
}

}  // namespace whence::test_support
