#include "models/train/vae_step.h"

#include <torch/csrc/autograd/autograd.h>

#include "whence/models/train/vae_loss.h"

namespace whence::models {

nn::Initialisation initialisation_of(InitialWeights initial) {
  return {.keeps_size = initial == InitialWeights::he, .convolution_deviation = 0.02};
}

Generator step_generator(std::uint64_t seed, std::int64_t index) {
  return make_generator(seed, fmt::format("gce/step/{}", index));
}

Generator dropout_generator(std::uint64_t seed, std::int64_t index, std::int64_t part) {
  return make_generator(seed, fmt::format("gce/step/{}/dropout/{}", index, part));
}

Encoded drawn(const at::Tensor& mean, const at::Tensor& log_variance, const at::Tensor& noise, double share) {
  return {mean + (0.5 * log_variance).exp() * noise, share * kl_divergence(mean, log_variance)};
}

Encoded encode(const nn::Network& encoder, const at::Tensor& images, const at::Tensor& noise, double share,
               const nn::Execution& execution) {
  const std::vector<at::Tensor> posterior = encoder.forward_all(images, execution);
  return drawn(posterior[0], posterior[1], noise, share);
}

std::vector<at::Tensor> encoder_gradients(const Encoded& encoded, double kl_weight,
                                          const at::Tensor& of_latents,
                                          const std::vector<at::Tensor>& parameters) {
  const at::Tensor divergence = kl_weight * encoded.kl;
  return torch::autograd::grad({encoded.latents, divergence}, parameters,
                               {of_latents, at::ones_like(divergence)});
}

void add_share(at::Tensor& sum, const at::Tensor& share) {
  if (!share.defined()) return;
  const at::Tensor own = share.detach().to(at::kDouble);
  sum = sum.defined() ? sum + own : own;
}

}  // namespace whence::models
