// Classifiers and images whose attributions are known.
#pragma once

#include "unit/gce/toy_models.h"
#include "whence/core/random.h"
#include "whence/explain/attribution/method.h"
#include "whence/models/zoo/zoo.h"

namespace whence::attribution::known {

using toy::Classifier;

inline at::Tensor random_images(std::int64_t count, at::IntArrayRef image = {1, 4, 5},
                                std::uint64_t seed = 1) {
  Generator generator = make_generator(seed, "images");
  std::vector<std::int64_t> sizes = {count};
  sizes.insert(sizes.end(), image.begin(), image.end());
  return at::rand(sizes, generator);
}
inline at::Tensor all_of(std::int64_t label, std::int64_t count) {
  return at::full({count}, label, at::kLong);
}
/// One image, (1, 1, 1, n).
inline at::Tensor row(std::vector<float> values) {
  return at::tensor(values).view({1, 1, 1, static_cast<std::int64_t>(values.size())});
}

/// Class 1's logit is f(x), class 0's is 0.
inline Classifier with_logit(const Classifier::Function& f) {
  return Classifier([f](const at::Tensor& x) {
    const at::Tensor logit = f(x);
    return at::stack({at::zeros_like(logit), logit}, 1);
  });
}

inline at::Tensor weights() { return at::linspace(-1, 2, 20).view({1, 4, 5}); }
inline at::Tensor linear(const at::Tensor& x) { return (x * weights()).sum({1, 2, 3}) + 0.3; }

/// Network ML of the exact cases: h = relu(sum x + [-10, 1, 1, 1]), logit = sum h - 1.
inline Classifier ml() {
  return with_logit([](const at::Tensor& x) {
    const at::Tensor sum = x.sum({1, 2, 3}).unsqueeze(1);
    return (sum + at::tensor({-10.0F, 1.0F, 1.0F, 1.0F})).relu().sum(1) - 1;
  });
}
inline at::Tensor ml_image() { return row({20, 50, 30}); }

/// Sets parameters by name.
inline void set(nn::Network& network, const std::string& name, const at::Tensor& value) {
  const at::NoGradGuard no_grad;
  for (const nn::NamedTensor& parameter : network.parameters())
    if (parameter.name == name) {
      const_cast<at::Tensor&>(parameter.tensor).copy_(value.view(parameter.tensor.sizes()));
      return;
    }
  throw std::runtime_error("no parameter " + name);
}

/// Network C of the exact cases, with two equal classes.
inline nn::Network network_c() {
  nn::Network network("C", {1, 4, 4});
  network.add("conv1", nn::Conv2d{2, 3});
  network.add("relu1", nn::Relu{});
  network.add("flatten", nn::Flatten{});
  network.add("fc1", nn::Linear{2});
  network.add("relu2", nn::Relu{});
  set(network, "conv1.weight", at::ones({2, 1, 3, 3}));
  set(network, "conv1.bias", at::tensor({-50.0F, -75.0F}));
  const at::Tensor weight = at::cat({at::ones({2, 5}), -at::ones({2, 3})}, 1);
  set(network, "fc1.weight", weight);
  set(network, "fc1.bias", at::zeros({2}));
  return network;
}
inline at::Tensor image_c() { return at::arange(16, at::kFloat).view({1, 1, 4, 4}); }

inline nn::Network initialised(nn::Network network, std::uint64_t seed = 5) {
  Generator generator = make_generator(seed, "weights");
  nn::initialise(network, {.keeps_size = true}, generator);
  return network;
}

}  // namespace whence::attribution::known
