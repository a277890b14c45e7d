// Declares a CVAE decoder, decodes zeros and prints the image's shape: 1x28x28.
#include <whence/models/zoo/zoo.h>

#include <ATen/ATen.h>

#include <iostream>

int main() {
  const whence::nn::Network decoder = whence::models::cvae_decoder({.latents = 6, .width = 4});
  const at::Tensor image = decoder.forward(at::zeros({1, 6}));
  std::cout << image.size(1) << "x" << image.size(2) << "x" << image.size(3) << "\n";
  return 0;
}
