// Training of a generative causal explanation.
#pragma once

#include <cstdint>
#include <filesystem>

#include "whence/core/progress.h"
#include "whence/data/dataset.h"
#include "whence/explain/gce/objective.h"
#include "whence/models/roles.h"
#include "whence/models/train/vae.h"
#include "whence/nn/graph/network.h"
#include "whence/nn/training/training_loop.h"

namespace whence::gce {

using models::InitialWeights, nn::Schedule;

struct Training {
  std::int64_t causal = 2;     ///< K; 0 trains the variational autoencoder alone (C = 0)
  std::int64_t noncausal = 4;  ///< L
  double lambda = 0.05;        ///< weight of the VAE bound against the causal term
  CausalOptions effect;        ///< the causal term's objective and estimator
  double kl_weight = 1;        ///< of the KL against SSE (beta of Higgins et al. 2017); 1: as published
  double causal_weight =
      1;  ///< of the causal term; without it and the next two a plain VAE is trained, which lambda then only scales
  double leak_penalty = 0;   ///< weight of I(beta; Y) in the objective, subtracted; see leaked_effect
  double answer_weight = 0;  ///< of answer_divergence in the objective, subtracted
  double manifold_weight =
      0;  ///< of the departure of what is drawn, subtracted; needs pretraining, whose autoencoder it is from
  InitialWeights initial = InitialWeights::published;
  bool warm_start = false;  ///< goes on from the weights that encoder and decoder have
  /// Steps before those below, in which the autoencoder is trained alone (by SSE + KL and answer_divergence). Then the K latents with the
  /// largest information flow become the alphas: where the classifier hears nothing of the alphas, C has no slope that
  /// would give them meaning, and a deep image model leaves many latents without any.
  std::int64_t pretraining = 0;
  std::int64_t steps = 8000;
  std::int64_t batch = 64;
  double learning_rate = 5e-4;        ///< the largest of the schedule
  double beta1 = 0.5, beta2 = 0.999;  ///< Adam
  Schedule schedule = Schedule::constant;
  double warmup = 0.1;  ///< share of the steps before the largest learning rate (one_cycle)
  std::uint64_t seed = 0;
  Precision precision = Precision::float32;
  std::filesystem::path checkpoint;  ///< file that training resumes from and writes to; empty: none
  double checkpoint_seconds = 20;
};

/// Maximises causal_weight C - leak_penalty I(beta; Y) - answer_weight answer_divergence - manifold_weight departure - lambda (SSE + kl_weight KL). Initialises (unless `warm_start`) and trains
/// encoder and decoder in place; the classifier stays as it is, and is not asked when none of its terms has a
/// weight (the end of pretraining asks it). Progress is of the stages "explanation/pretraining" and "explanation" and
/// carries "C", "leak", "answers" and "departure" (where they have a weight), "SSE", "KL" (smoothed) and "loss". Resumed training gives the same
/// weights, bit for bit, as uninterrupted training. The number of threads
/// must be the same: a step is cut into parts by it. Errors: those of draw_causal and leaked_effect, with pretraining those of
/// reorder_latents; (usage) manifold_weight without pretraining. The three models lie on one device, and training takes place there.
nn::LoopSummary train(nn::Network& encoder, nn::Network& decoder, const models::Classifier& classifier,
                      const data::Dataset& train, const Training& options,
                      const ProgressCallback& progress = {});

}  // namespace whence::gce
