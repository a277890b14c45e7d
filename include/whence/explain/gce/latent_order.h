// Which latent is which: the decoder's inputs and the encoder's outputs may change places together.
#pragma once

#include <cstdint>
#include <vector>

#include "whence/models/roles.h"
#include "whence/nn/graph/network.h"

namespace whence::gce {

/// Latent order[i] becomes latent i, in the encoder's means and log-variances and for the decoder, so that both stay
/// what they are but for the names of latents. `order`: each latent once. Error (usage): an encoder whose outputs, or
/// a decoder whose input, do not belong to linear layers.
void reorder_latents(nn::Network& encoder, nn::Network& decoder, const std::vector<std::int64_t>& order);

/// That reorder_latents can: its error, where it cannot.
void check_reordering(const nn::Network& encoder, const nn::Network& decoder);

/// The latents by their information flow to the classifier, the largest first; of 64 x 64 draws that all share
/// (FactorDraws::shared), from a stream of `seed`.
std::vector<std::int64_t> order_by_flow(const models::Decoder& decoder, const models::Classifier& classifier,
                                        std::uint64_t seed);

}  // namespace whence::gce
