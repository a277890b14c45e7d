// What trainings against a discriminator have in common: the losses, the discriminator's step, first weights, running averages.
#pragma once

#include <optional>
#include <vector>

#include "models/train/spectral_norm.h"
#include "whence/models/train/gan.h"
#include "whence/nn/training/optimizer.h"

namespace whence::models {

/// Of the scores that real and generated images got, tensors of any shape; `real_label` as GanTraining has it.
at::Tensor discriminator_loss(GanLoss loss, double real_label, const at::Tensor& real,
                              const at::Tensor& fake);
/// Of the scores of generated images.
at::Tensor generator_loss(GanLoss loss, const at::Tensor& fake);

/// Weights of convolutions and linear layers N(0, 0.02) (Radford et al. 2016, section 3), biases 0.
void initialise_adversary(nn::Network& network, Generator& generator);

/// average = keep * average + (1 - keep) * now, also of the batch norms' means and variances.
void move_average(nn::Network& average, const nn::Network& now, double keep);

/// A discriminator and its optimizer, with the spectral norm where it is asked for.
class TrainedDiscriminator {
 public:
  /// `network` must outlive it. `spectral`: the random stream of the singular vectors; null: no spectral norm.
  TrainedDiscriminator(nn::Network& network, Generator* spectral, nn::Adam rule);

  /// What gives scores: the network, or its normalised copy.
  const nn::Network& judge() const { return spectral_ ? spectral_->network() : network_; }
  /// Called before the scores of a step.
  void prepare();
  /// Of a loss of scores, in the judge's parameters. Parts of a batch may ask side by side.
  std::vector<at::Tensor> gradients(const at::Tensor& loss) const;
  /// Follows the sum of the parts' gradients.
  void step(std::vector<std::vector<at::Tensor>> gradients, double learning_rate);

  nn::Optimizer& optimizer() { return optimizer_; }
  /// Its part of a checkpoint beside network and optimizer.
  nn::NamedTensors state() const { return spectral_ ? spectral_->state() : nn::NamedTensors(); }

 private:
  nn::Network& network_;
  nn::Optimizer optimizer_;
  std::optional<SpectralNorm> spectral_;
};

}  // namespace whence::models
