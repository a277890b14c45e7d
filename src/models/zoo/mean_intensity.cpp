#include "models/zoo/blocks.h"

namespace whence::models {

nn::Network mean_intensity(const ClassifierShape& shape) {
  checked_width("the mean-intensity classifier", shape, {}, 1);
  nn::Network network("mean-intensity", shape.image);
  // All colours as one high image, so that one average is over everything.
  network.add("grey", nn::Reshape{{1, shape.image[0] * shape.image[1], shape.image[2]}});
  network.add("mean", nn::GlobalAvgPool2d{});
  network.add("flatten", nn::Flatten{});
  network.add("fc", nn::Linear{shape.classes});
  return network;
}

}  // namespace whence::models
