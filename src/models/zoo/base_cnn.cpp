#include <fmt/ranges.h>

#include "whence/core/error.h"
#include "whence/models/zoo/zoo.h"

namespace whence::models {

nn::Network base_cnn(const BaseCnnOptions& options) {
  if (options.classes < 1 || options.width < 1) {
    fail_usage("the base CNN needs at least 1 class and width 1, not {} and {}", options.classes,
               options.width);
  }
  if (options.image.size() != 3 || options.image[0] < 1 || options.image[1] < 6 || options.image[2] < 6) {
    fail_usage("the base CNN needs images of shape channels x height x width and at least 6x6 pixels, not {}",
               fmt::join(options.image, "x"));
  }
  nn::Network network("base-cnn", options.image);
  network.add("conv1", nn::Conv2d{options.width, 3});
  network.add("relu1", nn::Relu{});
  network.add("conv2", nn::Conv2d{2 * options.width, 3});
  network.add("relu2", nn::Relu{});
  network.add("pool", nn::MaxPool2d{2, 2});
  if (options.channel_dropout) {
    network.add("drop1", nn::Dropout2d{0.25});
  } else {
    network.add("drop1", nn::Dropout{0.5});
  }
  network.add("flatten", nn::Flatten{});
  network.add("fc1", nn::Linear{4 * options.width});
  network.add("relu3", nn::Relu{});
  network.add("drop2", nn::Dropout{0.5});
  network.add("fc2", nn::Linear{options.classes});
  return network;
}

}  // namespace whence::models
