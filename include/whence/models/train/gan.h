// Training of generative adversarial networks (Goodfellow et al. 2014).
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string_view>

#include "whence/core/progress.h"
#include "whence/data/dataset.h"
#include "whence/models/train/shared_augmentation.h"
#include "whence/nn/graph/network.h"
#include "whence/nn/training/training_loop.h"

namespace whence::models {

/// D(x) is the discriminator's score, large for real images.
///   original   discriminator: cross-entropy of sigmoid(D), real images against real_label, generated ones against 0;
///              generator: -log sigmoid(D), the form that does not saturate (Goodfellow et al. 2014, section 3)
///   hinge      discriminator: max(0, 1 - D) of real images + max(0, 1 + D) of generated ones; generator: -D (Lim & Ye 2017)
enum class GanLoss { original, hinge };

struct GanTraining {
  GanLoss loss = GanLoss::original;
  double real_label =
      0.9;  ///< of the original loss; below 1 a discriminator is never certain (Salimans et al. 2016)
  /// Divides each weight of the discriminator by its largest singular value (Miyato et al. 2018). The discriminator then has
  /// no batch norm.
  bool spectral_norm = false;
  /// Of the generator's weights, which become average x old + (1 - average) x new with each step; the average is what
  /// training gives (Yazici et al. 2019). The generator itself is erratic.
  double average = 0.995;
  SharedAugmentation augmentation;
  std::int64_t steps = 5000;
  std::int64_t batch = 32;
  double learning_rate = 3e-4;       ///< of both networks
  double beta1 = 0.5, beta2 = 0.99;  ///< Adam
  /// After each so many steps, and at the end, the average is a candidate; the one with the least distance is kept. 0: the last
  /// one is. A long training can break off, so what comes last is not what is best.
  std::int64_t candidate_steps = 250;
  std::uint64_t seed = 0;
  Precision precision = Precision::float32;
  std::filesystem::path checkpoint;  ///< file that training resumes from and writes to; empty: none
  double checkpoint_seconds = 20;
};

/// How far a generator's samples are from images that training does not see; a function of its weights alone, NaN where they are
/// worthless.
using GeneratorDistance = std::function<double(const nn::Network& generator)>;

struct GanSummary {
  nn::LoopSummary loop;
  double distance = 0;           ///< of what was kept; 0 without candidates
  std::int64_t chosen_step = 0;  ///< after which it was kept
};

/// Initialises both networks (convolutions and linear layers N(0, 0.02), Radford et al. 2016) and trains them. `generator`: latents ->
/// images in [0, 1]; it ends as the candidate with the least distance. `discriminator`: images, brought to [-1, 1], -> one score;
/// real and generated images go through it in separate batches. Progress is of the stage "generator" and carries
/// "discriminator" and "generator", the losses, "real" and "fake", the mean sigmoid(D) of each (smoothed), and "distance", the last
/// candidate's, once there is one. Resumed training gives the same weights, bit for bit, as uninterrupted
/// training. Error (usage): spectral norm with a discriminator that has batch norm.
GanSummary train_gan(nn::Network& generator, nn::Network& discriminator, const data::Dataset& train,
                     const GanTraining& options, const GeneratorDistance& distance,
                     const ProgressCallback& progress = {});

std::string_view name_of(GanLoss loss);

}  // namespace whence::models
