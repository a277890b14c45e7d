#include <fmt/ranges.h>

#include "whence/core/error.h"
#include "whence/models/zoo/zoo.h"

namespace whence::models {
namespace {

void check(const CvaeOptions& options) {
  if (options.latents < 1 || options.width < 1) {
    fail_usage("the CVAE needs at least 1 latent and width 1, not {} and {}", options.latents, options.width);
  }
  const bool fits = options.image.size() == 3 && options.image[0] >= 1 && options.image[1] >= 4 &&
                    options.image[2] >= 4 && options.image[1] % 4 == 0 && options.image[2] % 4 == 0;
  if (!fits) {
    fail_usage("the CVAE needs images of shape channels x height x width, the sides multiples of 4, not {}",
               fmt::join(options.image, "x"));
  }
}

/// What follows the i-th convolution.
void normalise(nn::Network& network, const CvaeOptions& options, std::string_view number) {
  if (options.batch_norm) network.add(fmt::format("norm{}", number), nn::BatchNorm2d{});
}

}  // namespace

nn::Network cvae_encoder(const CvaeOptions& options) {
  check(options);
  nn::Network network(options.batch_norm ? "cvae-bn-encoder" : "cvae-encoder", options.image);
  network.add("conv1", nn::Conv2d{options.width, 4, 2, 1});
  normalise(network, options, "1");
  network.add("relu1", nn::Relu{});
  network.add("conv2", nn::Conv2d{options.width, 4, 2, 1});
  normalise(network, options, "2");
  network.add("relu2", nn::Relu{});
  network.add("pad", nn::ZeroPad2d{.left = 1, .right = 2, .top = 1, .bottom = 2});
  network.add("conv3", nn::Conv2d{options.width, 4});
  normalise(network, options, "3");
  network.add("relu3", nn::Relu{});
  network.add("flatten", nn::Flatten{});
  network.add("mean", nn::Linear{options.latents}, {"flatten"});
  network.add("log_variance", nn::Linear{options.latents}, {"flatten"});
  network.set_outputs({"mean", "log_variance"});
  return network;
}

nn::Network cvae_decoder(const CvaeOptions& options) {
  check(options);
  const nn::Shape map = {options.width, options.image[1] / 4, options.image[2] / 4};
  nn::Network network(options.batch_norm ? "cvae-bn-decoder" : "cvae-decoder", {options.latents});
  network.add("fc", nn::Linear{map[0] * map[1] * map[2]});
  network.add("relu_fc", nn::Relu{});
  network.add("reshape", nn::Reshape{map});
  network.add("conv1", nn::ConvTranspose2d{options.width, 4, 1, 1});
  normalise(network, options, "1");
  network.add("relu1", nn::Relu{});
  network.add("conv2", nn::ConvTranspose2d{options.width, 4, 2, 2});
  normalise(network, options, "2");
  network.add("relu2", nn::Relu{});
  network.add("conv3", nn::ConvTranspose2d{options.image[0], 4, 2, 1});
  normalise(network, options, "3");
  network.add("sigmoid", nn::Sigmoid{});
  return network;
}

}  // namespace whence::models
