// The loss of a variational autoencoder (Kingma & Welling 2014): SSE + KL bounds -log p(x) from above, up to a constant.
#pragma once

#include <ATen/core/Tensor.h>

namespace whence::models {

/// KL(q(z|x) || N(0, I)) in nats, averaged over the batch; a scalar. mean, log_variance: (N, D).
at::Tensor kl_divergence(const at::Tensor& mean, const at::Tensor& log_variance);

/// -log q(z|x) in nats of the diagonal normal distribution q(z|x), averaged over the batch; a scalar. All (N, D).
at::Tensor negative_log_density(const at::Tensor& mean, const at::Tensor& log_variance,
                                const at::Tensor& latents);

/// SSE: the squared error summed over pixels, averaged over the batch; a scalar. Both (N, C, H, W).
at::Tensor squared_error(const at::Tensor& reconstruction, const at::Tensor& image);

}  // namespace whence::models
