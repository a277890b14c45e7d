// The start of the autoencoder with a linear path (zoo.h, linear_path_encoder): principal components.
#pragma once

#include "whence/models/train/components.h"
#include "whence/nn/graph/network.h"

namespace whence::models {

/// Whether a decoder has such a path.
bool has_linear_path(const nn::Network& decoder);

/// Makes encoder and decoder the linear autoencoder of `components`, and leaves the convolutions without effect until training gives
/// them one: their last layers are 0. Latent i is the component i divided by its deviation, so that codes of images have unit variance.
/// The log-variance is that of the least SSE + kl_weight KL of the linear decoder: a posterior variance s of latent i costs
/// v_i s + kl_weight (s - log s) / 2, v_i the component's variance, so that s = kl_weight / (2 v_i + kl_weight).
/// Latents beyond the components have no effect. Errors: networks of another architecture, or of images of another size.
void start_linear_path(nn::Network& encoder, nn::Network& decoder, const Components& components,
                       double kl_weight);

}  // namespace whence::models
