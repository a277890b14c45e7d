// The training of a causal explanation of a text classifier.
//
// A step lowers, for a batch of texts x with the classifier's answers p(y|x) and codes z = (alpha, beta) ~ q(z|x),
//   - log p(x|z)  +  kl_weight KL(q(z|x) || N(0, I))  +  bag_weight (- log p(words of x|z))
//   + pull_weight     CE(p(y|x), q(y|alpha))                         alpha of a text promises the classifier's answer to it
//   + adversary_weight CE(p(y), guess(beta))                          beta of a text tells nothing of the answer
// and, every causal_every-th step of the second stage, with texts x' decoded from codes whose alpha is drawn from N(0, I) and whose beta is, by halves, drawn
// and that of a text,
//   - lambda (H(Y) + E log q(Y|alpha))  <= - lambda I(alpha; Y)       the variational bound (flow::variational_information)
//   + cycle_weight |q-mean(x') - z|^2 / D                             a text tells the code that it was made from
//   + fluency_weight max(0, -log p'(x') / words - typical)            texts are as likely as real ones under a language model p' (text/fluency.h)
//   + repeat_weight  (pairs of neighbouring words that stand in x' before).
// The share fluency_level of the real texts has at most `typical` nats a word. Below that nothing is lowered, so that texts need not be commonplace.
// The decoder sees no text here: gradients reach it through straight-through words (text/decoding.h). In the same steps, with another alpha' ~ N(0, I),
//   + keep_weight (- sum_t s_t log p(x_t | x_<t, alpha', beta))       words that do not matter to the classifier stay when alpha moves,
// where s_t is 1 for such a word and 0 for the one that matters most (gradient times input of the classifier).
// With aggressive.iterations (He et al. 2019) the first steps are others: the encoder alone is trained, on random batches, until its loss falls no more; then
// everything else is, and the encoder not. This ends, for good, when the codes tell no more of the texts than at the check before, and before the second stage.
//
// The pull supervises alpha by the explained classifier. Without it (pull_weight = 0), alpha is found by the causal term alone.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <filesystem>

#include "whence/core/progress.h"
#include "whence/explain/text/decoding.h"
#include "whence/models/text/classifier.h"
#include "whence/models/text/language_model.h"
#include "whence/models/text/sentence_vae.h"
#include "whence/nn/training/training_loop.h"

namespace whence::text {

/// Training of the encoder against posterior collapse (He, Spokoyny, Neubig and Berg-Kirkpatrick 2019, "Lagging inference networks and posterior
/// collapse in variational autoencoders", algorithm 1).
struct AggressiveEncoder {
  std::int64_t iterations = 0;  ///< largest number of steps of the encoder before each of the rest; 0: none
  std::int64_t window =
      15;  ///< they end when the mean loss over so many is not below that of the ones before
  std::int64_t check_every = 0;  ///< steps between two checks of I(x; z); 0: a pass over the texts
};

struct Training {
  std::int64_t steps = 5000;
  std::int64_t batch = 64;
  double causal_share = 0.45;  ///< share of the steps, at the end, that are the second stage
  double sure =
      0.35;  ///< texts of the second stage: their largest probability is above that of an even answer by this share
  double learning_rate = 3e-3;       ///< Adam; the largest of a one-cycle schedule
  double word_dropout = 0.3;         ///< share of the words before a place that the decoder does not see
  double encoder_dropout = 0.1;      ///< share of the words that the encoder does not see
  std::int64_t sampled_words = 600;  ///< of the softmax of a step, beside the words of the batch
  double kl_weight = 0.45;
  double kl_warmup = 0.2;  ///< share of the steps over which it rises from 0
  double bag_weight = 0.3;
  double pull_weight = 5;
  double adversary_weight = 3;
  double lambda = 20;
  double cycle_weight = 5;
  double keep_weight = 1;
  double fluency_weight = 0;
  double fluency_level = 0.9;  ///< share of the real texts that are likely enough
  double repeat_weight = 0;
  const models::LanguageModel* language =
      nullptr;  ///< of the fluency term, in the vocabulary of the autoencoder; not trained here
  std::int64_t causal_every = 3;
  std::int64_t rollouts = 32;  ///< texts decoded for the causal term
  RelaxedDecoding decoding;
  AggressiveEncoder aggressive;
  std::uint64_t seed = 0;
  std::filesystem::path checkpoint = {};
  double checkpoint_seconds = 20;
};

/// The texts that a training sees: numbers (N, T) in the vocabulary of the autoencoder, and what the classifier answers, (N, M).
struct Corpus {
  at::Tensor numbers, answers;
};

/// Trains `vae` in place. `translation` leads from its vocabulary to the classifier's (Vocabulary::translation_from). Resumed
/// training equals uninterrupted training bit for bit. Error: no text whose answer is sure; a fluency_weight without a language model.
nn::LoopSummary train(models::SentenceVae& vae, const models::TextClassifier& classifier,
                      const at::Tensor& translation, const Corpus& corpus, const Training& options,
                      const ProgressCallback& progress = {});

}  // namespace whence::text
