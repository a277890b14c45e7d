// Autoencoders to be trained in memory.
#pragma once

#include "bindings/bindings.h"
#include "whence/data/dataset.h"
#include "whence/models/architectures.h"
#include "whence/models/train/vae.h"
#include "whence/nn/graph/network.h"

namespace whence::python {

struct Networks {
  nn::Network encoder, decoder;
};

/// [generator] of a recipe, as far as Python takes it.
struct NetworkChoice {
  const models::AutoencoderArchitecture* architecture;
  std::int64_t width;  ///< 0: the architecture's own
  models::InitialWeights initial;
};
/// Errors (usage): no such architecture or initialisation.
NetworkChoice network_choice(const std::string& architecture, std::int64_t width,
                             const std::string& initialisation);

/// Without weights. `image`: (C, H, W).
Networks new_networks(const NetworkChoice& choice, const nn::Shape& image, std::int64_t latents,
                      at::Device device);

/// Gives networks with a linear path the principal components of the training images, as kinds::load_start does; others stay as they
/// are. Whether they have weights now.
bool start_linearly(Networks& networks, const data::Dataset& train, models::InitialWeights initial,
                    double kl_weight, std::uint64_t seed);

}  // namespace whence::python
