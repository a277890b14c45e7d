// Random tensors, and TorchScript modules that are known to be layers.
#pragma once

#include <filesystem>
#include <stdexcept>

#include "whence/core/random.h"
#include "whence/interchange/torchscript.h"

namespace whence::nn::test_support {

inline at::Tensor random(at::IntArrayRef sizes, std::uint64_t seed = 0) {
  return at::randn(sizes, make_generator(seed, "test/torchscript"));
}

inline double difference(const at::Tensor& a, const at::Tensor& b) {
  return (a - b).abs().max().item<double>();
}

inline Network translated(const std::filesystem::path& path, const Shape& input) {
  std::string obstacle;
  std::optional<Network> network = ScriptModule(path).translate(input, &obstacle);
  if (!network) throw std::runtime_error(obstacle);
  return *std::move(network);
}

}  // namespace whence::nn::test_support
