// Training of an encoder for a decoder that stays as it is: a GAN and a decoder from a file get codes of images.
#pragma once

#include <cstdint>
#include <filesystem>

#include "whence/core/progress.h"
#include "whence/data/dataset.h"
#include "whence/models/roles.h"
#include "whence/models/train/vae.h"
#include "whence/nn/graph/network.h"
#include "whence/nn/training/schedule.h"
#include "whence/nn/training/training_loop.h"

namespace whence::models {

struct InverseTraining {
  double kl_weight = 1;     ///< of the KL against SSE, as VaeTraining::kl_weight
  double sleep_weight = 1;  ///< of the sleep phase; 0: the generator's own samples are not used
  InitialWeights initial = InitialWeights::published;
  std::int64_t steps = 4000;
  std::int64_t batch = 64;            ///< images of one step, and as many samples of the generator
  double learning_rate = 1e-3;        ///< the largest of the schedule
  double beta1 = 0.9, beta2 = 0.999;  ///< Adam
  nn::Schedule schedule = nn::Schedule::one_cycle;
  double warmup = 0.1;  ///< share of the steps before the largest learning rate
  std::uint64_t seed = 0;
  Precision precision = Precision::float32;
  std::filesystem::path checkpoint = {};  ///< file that training resumes from and writes to; empty: none
  double checkpoint_seconds = 20;
};

/// For a decoder g whose weights stay as they are, initialises and trains the encoder q(z|x) to minimise
///     E_data[SSE(g(z), x) + kl_weight KL(q(z|x) || N(0, I))], z ~ q(z|x)      the bound of an autoencoder with a fixed decoder
///   + sleep_weight E[-log q(z | g(z))], z ~ N(0, I)                            the sleep phase of Hinton et al. 1995
/// The first line brings images of the data near. The second gives the generator's own samples their codes back, and the posterior
/// its variances. Images and samples go through the encoder in one batch, so that a batch norm sees both, in training as later. The decoder runs
/// as its role says: in evaluation mode. Progress is of the stage "encoder" and carries "SSE", "KL", "sleep" (with a weight
/// above 0) and "loss", smoothed. Resumed training gives the same weights, bit for bit, as uninterrupted training; the number of
/// threads must be the same. Errors: encoder and decoder that disagree on latents or images; a decoder without gradients.
nn::LoopSummary train_inverse(nn::Network& encoder, const Decoder& decoder, const data::Dataset& train,
                              const InverseTraining& options, const ProgressCallback& progress = {});

}  // namespace whence::models
