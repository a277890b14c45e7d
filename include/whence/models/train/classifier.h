// Training of classifiers.
#pragma once

#include <cstdint>
#include <filesystem>

#include "whence/core/progress.h"
#include "whence/data/dataset.h"
#include "whence/models/roles.h"
#include "whence/models/train/augmentation.h"
#include "whence/nn/graph/network.h"
#include "whence/nn/training/training_loop.h"

namespace whence::models {

enum class ClassifierOptimizer { sgd, adam };

/// How the learning rate changes: times `decay` after each epoch, or nn::one_cycle over all steps.
enum class ClassifierSchedule { decay, one_cycle };

/// As published: SGD, learning rate 0.1, times 0.7 after each epoch, momentum 0.5, batches of 64.
struct ClassifierTraining {
  std::int64_t epochs = 8;
  std::int64_t batch = 64;
  ClassifierOptimizer optimizer = ClassifierOptimizer::sgd;
  double learning_rate = 0.1;  ///< of the first epoch (decay); the largest (one_cycle)
  double momentum = 0.5;       ///< of SGD; Adam's are 0.9 and 0.999
  double weight_decay = 0;     ///< as nn::Sgd and nn::Adam have it
  ClassifierSchedule schedule = ClassifierSchedule::decay;
  double decay = 0.7;
  double warmup = 0.2;  ///< share of the steps before the largest learning rate (one_cycle)
  /// e of the targets (1 - e) onehot + e / classes (Szegedy et al. 2016, section 7).
  double label_smoothing = 0;
  Augmentation augmentation;
  std::uint64_t seed = 0;
  Precision precision = Precision::float32;
  std::filesystem::path checkpoint;  ///< file that training resumes from and writes to; empty: none
  double checkpoint_seconds = 20;    ///< at most this much work is lost
};

/// Initialises and trains `network` in place with cross-entropy. Resumed training gives the same weights as
/// uninterrupted training.
nn::LoopSummary train_classifier(nn::Network& network, const data::Dataset& train,
                                 const ClassifierTraining& options, const ProgressCallback& progress = {});

/// The share of images whose label has the largest probability. Errors: no images; other classes than the data set's; NaN; an
/// interrupt.
double accuracy(const Classifier& classifier, const data::Dataset& dataset);

}  // namespace whence::models
