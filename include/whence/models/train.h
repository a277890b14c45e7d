// Training of classifiers.
#pragma once

#include <cstdint>
#include <filesystem>

#include "whence/core/progress.h"
#include "whence/data/dataset.h"
#include "whence/nn/network.h"
#include "whence/nn/training_loop.h"

namespace whence::models {

/// SPEC: SGD lr 0.1, momentum 0.5, lr x 0.7 an epoch, batch 64.
struct ClassifierTraining {
  std::int64_t epochs = 8;
  std::int64_t batch = 64;
  double learning_rate = 0.1;
  double momentum = 0.5;
  double decay = 0.7;  ///< factor on the learning rate after each epoch
  std::uint64_t seed = 0;
  Precision precision = Precision::float32;
  std::filesystem::path checkpoint;  ///< file that training resumes from and writes to; empty: none
  double checkpoint_seconds = 20;    ///< at most this much work is lost
};

/// Initialises and trains `network` in place with cross-entropy. Resumed training gives the same weights as
/// uninterrupted training.
nn::LoopSummary train_classifier(nn::Network& network, const data::Dataset& train,
                                 const ClassifierTraining& options, const ProgressCallback& progress = {});

}  // namespace whence::models
