#include "models/zoo/blocks.h"
#include "whence/core/error.h"

namespace whence::models {
namespace {

void add_inception_block(nn::Network& network, std::int64_t width, const std::string& input) {
  const std::string one = add_convolution(network, "one", {width / 4, 1}, input);
  const std::string narrow3 = add_convolution(network, "three_narrow", {width / 2, 1}, input);
  const std::string three = add_convolution(network, "three", {width / 2, 3, 1, 1}, narrow3);
  const std::string narrow5 = add_convolution(network, "five_narrow", {width / 4, 1}, input);
  const std::string five = add_convolution(network, "five", {width / 8, 5, 1, 2}, narrow5);
  network.add("max", nn::MaxPool2d{3, 1, 1}, {input});
  const std::string max = add_convolution(network, "max_conv", {width / 8, 1}, "max");
  network.add("branches", nn::Concat{}, {one, three, five, max});
}

}  // namespace

nn::Network small_inception(const ClassifierShape& shape) {
  const std::int64_t width = checked_width("the small Inception", shape, {.least = 2}, 64);
  if (width % 8 != 0) fail_usage("the small Inception needs a width that is a multiple of 8, not {}", width);
  nn::Network network("inception", shape.image);
  add_inception_block(network, width, add_convolution(network, "conv", {width, 3, 1, 1}));
  network.add("max_pool", nn::MaxPool2d{2, 2});
  network.add("pool", nn::GlobalAvgPool2d{});
  network.add("flatten", nn::Flatten{});
  network.add("fc", nn::Linear{shape.classes});
  return network;
}

}  // namespace whence::models
