#include <fmt/format.h>

#include "models/zoo/blocks.h"

namespace whence::models {
namespace {

struct VggStage {
  std::int64_t widths;  ///< channels, in widths
  bool pooled;
};
constexpr VggStage kColumnA[] = {{1, true},  {2, true}, {4, false}, {4, true},
                                 {8, false}, {8, true}, {8, false}, {8, true}};

}  // namespace

nn::Network vgg11(const ClassifierShape& shape) {
  const std::int64_t width = checked_width("VGG-11", shape, {.least = 32}, 64);
  nn::Network network("vgg11", shape.image);
  int number = 0;
  for (const VggStage& stage : kColumnA) {
    const std::string name = fmt::format("conv{}", ++number);
    network.add(name, nn::Conv2d{stage.widths * width, 3, 1, 1});
    network.add(name + "_norm", nn::BatchNorm2d{});
    network.add(name + "_relu", nn::Relu{});
    if (stage.pooled) network.add(fmt::format("pool{}", number), nn::MaxPool2d{2, 2});
  }
  network.add("pool", nn::GlobalAvgPool2d{});
  network.add("flatten", nn::Flatten{});
  for (const char* name : {"fc1", "fc2"}) {
    network.add(name, nn::Linear{8 * width});
    network.add(std::string(name) + "_relu", nn::Relu{});
  }
  network.add("fc3", nn::Linear{shape.classes});
  return network;
}

}  // namespace whence::models
