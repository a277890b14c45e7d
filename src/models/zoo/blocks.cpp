#include "models/zoo/blocks.h"

#include <fmt/ranges.h>

#include "whence/core/error.h"

namespace whence::models {
namespace {

void check_image(std::string_view who, const nn::Shape& image, Sides sides) {
  const auto fits = [&](std::int64_t side) {
    return side >= sides.least && (side - sides.least) % sides.step == 0;
  };
  if (image.size() == 3 && image[0] >= 1 && fits(image[1]) && fits(image[2])) return;
  const std::string which = sides.step == 1
                                ? fmt::format("of at least {}", sides.least)
                                : fmt::format("of {}, {}, {}, ...", sides.least, sides.least + sides.step,
                                              sides.least + 2 * sides.step);
  fail_usage("{} needs images of shape channels x height x width with sides {} pixels, not {}", who, which,
             fmt::join(image, "x"));
}

std::int64_t width_or(std::string_view who, std::int64_t width, std::int64_t own) {
  if (width < 0) fail_usage("{} needs a width of at least 1 (or 0 for the paper's), not {}", who, width);
  return width == 0 ? own : width;
}

}  // namespace

std::int64_t checked_width(std::string_view who, const ClassifierShape& shape, Sides sides,
                           std::int64_t own) {
  check_image(who, shape.image, sides);
  if (shape.classes < 1) fail_usage("{} needs at least 1 class, not {}", who, shape.classes);
  return width_or(who, shape.width, own);
}

std::int64_t checked_width(std::string_view who, const AutoencoderShape& shape, Sides sides,
                           std::int64_t own) {
  check_image(who, shape.image, sides);
  if (shape.latents < 1) fail_usage("{} needs at least 1 latent, not {}", who, shape.latents);
  return width_or(who, shape.width, own);
}

std::string add_convolution(nn::Network& network, const std::string& name, nn::Conv2d convolution,
                            const std::string& input) {
  convolution.bias = false;
  if (input.empty()) {
    network.add(name, convolution);
  } else {
    network.add(name, convolution, {input});
  }
  network.add(name + "_norm", nn::BatchNorm2d{});
  network.add(name + "_relu", nn::Relu{});
  return name + "_relu";
}

void add_hidden(nn::Network& network, const std::string& name, std::int64_t features, double dropout) {
  network.add(name, nn::Linear{features, false});
  network.add(name + "_norm", nn::BatchNorm1d{});
  network.add(name + "_relu", nn::Relu{});
  if (dropout > 0) network.add(name + "_drop", nn::Dropout{dropout});
}

}  // namespace whence::models
