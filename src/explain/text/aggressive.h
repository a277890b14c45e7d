// Aggressive training of the encoder against posterior collapse (He et al. 2019).
#pragma once

#include "explain/text/objective.h"
#include "whence/data/text/batches.h"
#include "whence/nn/training/optimizer.h"

namespace whence::text {

/// I(x; z) in nats between the texts (N, T) and a code of each, under q(z) = mean over n of q(z|x_n), from one draw a text:
///   1/N sum_n log q(z_n|x_n) - log (1/N sum_m q(z_n|x_m)),  z_n ~ q(z|x_n),
/// at most log N (Hoffman and Johnson 2016, "ELBO surgery"; He et al. 2019, section 4). 0 where all posteriors are the same.
double code_information(const models::Posterior& posterior, at::Generator& generator);
/// Of texts in the autoencoder's vocabulary.
double code_information(const models::SentenceVae& vae, const at::Tensor& numbers, at::Generator& generator);

/// The steps of the encoder alone, and when they end. Keeps references.
class EncoderFirst {
 public:
  /// `encoder`: has SentenceVae::encoder_parameters. `numbers`: the training's texts.
  EncoderFirst(const models::SentenceVae& vae, const Objective& objective, nn::Optimizer& encoder,
               const Corpus& corpus, const Training& options);

  /// Before step `index`: whether the encoder still goes first. Every check_every steps I(x; z) of up to 1,000 of the texts is estimated, always with the same draws;
  /// where it is not larger than the time before, the answer is no from now on.
  bool is_on(std::int64_t index);
  /// Steps of the encoder, on random batches, until `window` of them have no smaller mean loss (a word) than the `window` before. Returns their number.
  std::int64_t converge(std::int64_t index, double kl_weight, double learning_rate, double largest_gradient);

  /// What a checkpoint needs.
  nn::NamedTensors state() const { return {{"aggressive", state_}}; }
  double information() const { return state_[0].item<double>(); }

 private:
  const models::SentenceVae& vae_;
  const Objective& objective_;
  nn::Optimizer& encoder_;
  const Corpus& corpus_;
  const Training& options_;
  data::TextBatches batches_;
  std::int64_t check_every_;
  at::Tensor judged_;  ///< texts
  at::Tensor state_;   ///< float64 (2): the last I(x; z); 1 where the encoder goes first, else 0
};

}  // namespace whence::text
