// A map in front of a frozen generator: it makes the generator's latents from causal and other factors.
#pragma once

#include <ATen/core/Tensor.h>

#include <memory>

#include "whence/models/roles.h"
#include "whence/nn/graph/network.h"

namespace whence::gce {

/// z = rotation u as a network. rotation: (D, D).
nn::Network rotation_network(const at::Tensor& rotation);

/// What it decodes is generator(map(u)). map: (D) to (D). `generator` must outlive it.
std::unique_ptr<models::Decoder> in_front(const nn::Network& map, const models::Decoder& generator);
/// The same as one network, to be saved. The generator's layers keep their names where the map has no layer of that name.
nn::Network in_front(const nn::Network& map, const nn::Network& generator);

}  // namespace whence::gce
