#include "models/train/vae_step.h"

#include <torch/csrc/autograd/autograd.h>

#include "whence/models/train/vae_loss.h"

namespace whence::models {

Generator step_generator(std::uint64_t seed, std::int64_t index) {
  return make_generator(seed, fmt::format("gce/step/{}", index));
}

Generator dropout_generator(std::uint64_t seed, std::int64_t index, std::int64_t part) {
  return make_generator(seed, fmt::format("gce/step/{}/dropout/{}", index, part));
}

Encoded encode(const nn::Network& encoder, const at::Tensor& images, const at::Tensor& noise, double share,
               const nn::Execution& execution) {
  const std::vector<at::Tensor> posterior = encoder.forward_all(images, execution);
  const at::Tensor &mean = posterior[0], &log_variance = posterior[1];
  return {mean + (0.5 * log_variance).exp() * noise, share * kl_divergence(mean, log_variance)};
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
