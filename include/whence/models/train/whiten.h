// Codes of a trained autoencoder that have the prior's mean and covariance.
#pragma once

#include "whence/data/dataset.h"
#include "whence/nn/graph/network.h"

namespace whence::models {

/// Error (usage; `who` begins it): the encoder's outputs, or what reads the decoder's latents, are not linear layers with a bias.
void check_whitening(const nn::Network& encoder, const nn::Network& decoder, const std::string& who);

/// Training leaves the codes of the images, as a set, unlike N(0, I), the less the KL weighs; then draws from N(0, I) decode to images that no code has. This changes the origin and the
/// basis of the latents, u = B (z - m), and nothing else: B is part of the encoder's last linear layers, and its inverse of the decoder's first. m is the mean of the codes and
/// S = Cov(means) + diag(v) their covariance, v the mean posterior variances over `images`;
///   B S B^T = I   and   B diag(v) B^T is diagonal,
/// so that codes have the mean and the covariance of the prior, and posteriors stay as diagonal as they can be. The latents come in the order of their mean posterior variance, the
/// one that tells most of an image first. Reconstructions from posterior means are the same but for rounding. A posterior's variances are those of B diag(v(x)) B^T to first order in
/// log v(x) around log v.
/// Errors: those of check_whitening; codes that are NaN or infinity.
void whiten_codes(nn::Network& encoder, nn::Network& decoder, const data::Dataset& images);

}  // namespace whence::models
