// What a step of every training that holds a variational autoencoder does: with further causes (explain/gce), alone (vae.cpp), or of its
// encoder only (inversion.cpp).
//
// A batch is cut into parts that threads compute side by side. The encoder's graph ends at the latents, so that a caller may decode
// them together with other latents and send one gradient back.
#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

#include "whence/core/random.h"
#include "whence/models/train/vae.h"
#include "whence/nn/graph/network.h"

namespace whence::models {

/// The initial weights of an autoencoder's networks.
nn::Initialisation initialisation_of(InitialWeights initial);

/// Draws of step `index`: the noise of the posteriors first, then whatever else the step draws. An explanation's pretraining
/// and a plain training of the same seed thus are the same training, whose name these streams have kept.
Generator step_generator(std::uint64_t seed, std::int64_t index);
/// Of part `part` of that step.
Generator dropout_generator(std::uint64_t seed, std::int64_t index, std::int64_t part);

/// Images of a batch that were encoded.
struct Encoded {
  at::Tensor latents;  ///< draws of the posteriors, (n, D)
  at::Tensor kl;       ///< their share of the batch's mean KL
};
/// latents = mean + exp(log_variance / 2) noise. `share`: images / images of the batch.
Encoded drawn(const at::Tensor& mean, const at::Tensor& log_variance, const at::Tensor& noise, double share);
/// The same of images.
Encoded encode(const nn::Network& encoder, const at::Tensor& images, const at::Tensor& noise, double share,
               const nn::Execution& execution);

/// The gradients of kl_weight KL + <of_latents, latents> in the encoder's parameters.
std::vector<at::Tensor> encoder_gradients(const Encoded& encoded, double kl_weight,
                                          const at::Tensor& of_latents,
                                          const std::vector<at::Tensor>& parameters);

/// Adds a part's share, in float64; an undefined sum or share is 0.
void add_share(at::Tensor& sum, const at::Tensor& share);

}  // namespace whence::models
