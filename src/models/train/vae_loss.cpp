#include "whence/models/train/vae_loss.h"

#include <cmath>
#include <numbers>

namespace whence::models {

at::Tensor kl_divergence(const at::Tensor& mean, const at::Tensor& log_variance) {
  const at::Tensor m = mean.to(at::promote_types(mean.scalar_type(), at::kFloat));
  const at::Tensor v = log_variance.to(m.scalar_type());
  return 0.5 * (m.square() + v.expm1() - v).sum() / static_cast<double>(m.size(0));
}

at::Tensor negative_log_density(const at::Tensor& mean, const at::Tensor& log_variance,
                                const at::Tensor& latents) {
  const auto type = at::promote_types(mean.scalar_type(), at::kFloat);
  const at::Tensor m = mean.to(type), v = log_variance.to(type), z = latents.to(type);
  const at::Tensor twice = (z - m).square() * (-v).exp() + v + std::log(2 * std::numbers::pi);
  return 0.5 * twice.sum() / static_cast<double>(m.size(0));
}

at::Tensor squared_error(const at::Tensor& reconstruction, const at::Tensor& image) {
  const auto type = at::promote_types(reconstruction.scalar_type(), at::kFloat);
  return (reconstruction.to(type) - image.to(type)).square().sum() / static_cast<double>(image.size(0));
}

}  // namespace whence::models
