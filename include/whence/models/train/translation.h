// Training of a translator between all classes of a data set (translator.h), from images of the classes that are no pairs: the cycle of
// Zhu et al. 2017 (CycleGAN), one network and one discriminator with a score for each class (StarGAN and StarGAN 2, Choi et al. 2018 and 2020), the
// mask of Pumarola et al. 2018 (GANimation), and the explained classifier's answer.
//
// An image x of class s, a class o other than s, drawn anew in each step; y = T(x, o), r = T(y, s), i = T(x, s):
//   discriminator  GAN loss of D_s(x), which is real, and D_o(y), which is not
//   translator     GAN loss of D_o(y) + cycle |r - x| + identity |i - x| + classifier (-log p(o | y)) + mask mean(m)
// |.|: mean absolute difference of the values; m: the mask of y; p: of the explained classifier, which stays as it is.
#pragma once

#include "whence/models/roles.h"
#include "whence/models/train/gan.h"
#include "whence/models/translator.h"

namespace whence::models {

/// Of the translator's terms; its GAN loss has the weight 1.
struct TranslationWeights {
  double cycle = 10;
  double identity = 1;  ///< 0 also saves the time of T(x, s)
  /// Above 0 the translator learns what the explained classifier looks at. Alone it would learn adversarial patterns: the discriminator
  /// holds against them, and only a judge that took no part in training can tell.
  double classifier = 1;
  double mask = 0.1;
};

struct TranslatorTraining {
  TranslationWeights weights;
  GanLoss loss = GanLoss::original;
  double real_label = 0.9;    ///< as GanTraining has it
  bool spectral_norm = true;  ///< the discriminator then has no batch norm
  double average = 0.995;     ///< of the translator's weights; the average is what training gives
  std::int64_t steps = 3000;
  std::int64_t batch = 32;
  double learning_rate = 1e-3;       ///< of both networks
  double beta1 = 0.5, beta2 = 0.99;  ///< Adam
  std::uint64_t seed = 0;
  Precision precision = Precision::float32;
  std::filesystem::path checkpoint;  ///< file that training resumes from and writes to; empty: none
  double checkpoint_seconds = 20;
};

/// The translator's loss and its terms, before their weights; scalars. A term whose weight is 0 is 0 and is not computed (but the mask's).
struct TranslationLoss {
  at::Tensor total, adversarial, cycle, identity, classifier, mask;
};

/// `first`: T(x, o), computed by `translator` before. discriminator: images in [-1, 1] -> (N, M). `classifier` may be null where its weight is 0.
/// from, to: int64 (N), s and o.
TranslationLoss translation_loss(const nn::Network& translator, const nn::Network& discriminator,
                                 const Classifier* classifier, const at::Tensor& x, const at::Tensor& from,
                                 const at::Tensor& to, const Translation& first,
                                 const TranslatorTraining& options, const nn::Execution& execution);

/// Initialises both networks (convolutions and linear layers N(0, 0.02)) and trains them. `discriminator`: dcgan_discriminator with one score a
/// class. Progress is of the stage "translator" and carries "discriminator", "adversarial", "cycle", "identity", "classifier" and "mask", smoothed.
/// Resumed training gives the same weights, bit for bit, as uninterrupted training. Errors (usage): one class only; spectral norm with a
/// discriminator that has batch norm.
nn::LoopSummary train_translator(nn::Network& translator, nn::Network& discriminator,
                                 const Classifier* classifier, const data::Dataset& train,
                                 const TranslatorTraining& options, const ProgressCallback& progress = {});

}  // namespace whence::models
