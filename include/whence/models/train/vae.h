// Training of a variational autoencoder alone: a generator of images for whatever is done with one afterwards.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "whence/core/progress.h"
#include "whence/data/dataset.h"
#include "whence/nn/graph/network.h"
#include "whence/nn/training/schedule.h"
#include "whence/nn/training/training_loop.h"

namespace whence::models {

/// What the training of an autoencoder begins with. As published (O'Shaughnessy et al. 2020): convolutions N(0, 0.02), linear layers
/// as PyTorch's. A deep network passes on next to nothing of its input with them, and its training stands still until they
/// have grown. Or weights that keep a signal's size (nn::Initialisation::keeps_size).
enum class InitialWeights { published, he };

/// Both networks from one stream of the seed.
void initialise_autoencoder(nn::Network& encoder, nn::Network& decoder, InitialWeights initial,
                            std::uint64_t seed);

/// A further term of the loss: what the squared error does not see. It is added with its weight.
struct ReconstructionTerm {
  std::string name;   ///< of its reading
  double weight = 1;  ///< above 0
  /// (n, C, H, W) both -> a scalar, the mean over the n images; differentiable in the reconstructions. A thread may call it with
  /// its part of the batch while others do.
  std::function<at::Tensor(const at::Tensor& reconstructions, const at::Tensor& images)> mean;
};

struct VaeTraining {
  /// beta of Higgins et al. 2017. With images in [-1, 1] and the *mean* squared error over P pixel values, a weight w of the KL
  /// (Besserve et al. 2020: 0.0005) is w P / 4 here: 1.536 for 64 x 64 x 3, 0.384 for 32 x 32 x 3.
  double kl_weight = 1;
  std::vector<ReconstructionTerm> terms;
  InitialWeights initial = InitialWeights::published;
  bool warm_start = false;  ///< goes on from the weights that encoder and decoder have
  std::int64_t steps = 8000;
  std::int64_t batch = 64;
  double learning_rate = 5e-4;        ///< the largest of the schedule
  double beta1 = 0.5, beta2 = 0.999;  ///< Adam
  nn::Schedule schedule = nn::Schedule::constant;
  double warmup = 0.1;  ///< share of the steps before the largest learning rate (one_cycle)
  std::uint64_t seed = 0;
  Precision precision = Precision::float32;
  std::filesystem::path checkpoint;  ///< file that training resumes from and writes to; empty: none
  double checkpoint_seconds = 20;
};

/// Minimises SSE + kl_weight KL + sum of weight x term (Kingma & Welling 2014; whence/models/train/vae_loss.h). Initialises (unless
/// `warm_start`) and trains both networks in place. Progress is of the stage "generator" and carries "SSE", "KL", the terms by their names
/// (smoothed) and "loss". Resumed training gives the same weights, bit for bit, as uninterrupted training; the number
/// of threads must be the same, because a step is cut into parts by it. Where the networks lie, training takes place.
nn::LoopSummary train_vae(nn::Network& encoder, nn::Network& decoder, const data::Dataset& train,
                          const VaeTraining& options, const ProgressCallback& progress = {});

/// The sum over all weights and the sum of their squares, as text: tells trainings apart that started from different ones.
std::string weight_sums(const std::vector<const nn::Network*>& networks);

std::string_view name_of(InitialWeights weights);

}  // namespace whence::models
