// Networks and images for the tests of feature visualization.
#pragma once

#include <ATen/ATen.h>

#include "whence/core/random.h"
#include "whence/models/roles.h"
#include "whence/nn/graph/network.h"

namespace whence::visualization::known {

inline at::Tensor random_images(at::IntArrayRef sizes, std::uint64_t seed = 1) {
  Generator generator = make_generator(seed, "images");
  return at::rand(sizes, generator);
}

/// Smooth, so that differences of its outputs give its gradients.
inline nn::Network smooth_network(std::int64_t channels = 1) {
  nn::Network network("smooth", {channels, 5, 6});
  network.add("conv1", nn::Conv2d{4, 3});
  network.add("tanh1", nn::Tanh{});
  network.add("conv2", nn::Conv2d{3, 2});
  network.add("tanh2", nn::Tanh{});
  network.add("flatten", nn::Flatten{});
  network.add("hidden", nn::Linear{5});
  network.add("sigmoid", nn::Sigmoid{});
  network.add("logits", nn::Linear{3});
  Generator generator = make_generator(3, "weights");
  nn::initialise(network, {.keeps_size = true}, generator);
  return network;
}
inline std::unique_ptr<models::Classifier> smooth(std::int64_t channels = 1) {
  return models::as_classifier(smooth_network(channels));
}

/// Logit 1 is <weights, x>, logit 0 is 0. Opaque.
class Linear final : public models::Classifier {
 public:
  explicit Linear(at::Tensor weights) : weights_(std::move(weights)) {}
  at::Tensor logits(const at::Tensor& x) const override {
    const at::Tensor logit = (x * weights_).flatten(1).sum(1);
    return at::stack({at::zeros_like(logit), logit}, 1);
  }
  std::int64_t classes() const override { return 2; }
  std::string why_opaque() const override { return "aten::cumsum, which is not supported"; }

 private:
  at::Tensor weights_;
};

}  // namespace whence::visualization::known
