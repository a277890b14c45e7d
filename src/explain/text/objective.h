// The terms of a step of the training of a causal explanation of texts.
#pragma once

#include "models/text/sampled_softmax.h"
#include "whence/explain/text/train.h"
#include "whence/nn/training/training_loop.h"

namespace whence::text {

struct StepTerms {
  at::Tensor loss;
  nn::Readings readings;
};

/// Keeps references to the networks and the options.
class Objective {
 public:
  /// `prior`: the classifier's mean answer, (1, M). `typical_nats`: of a word, where the fluency term begins.
  Objective(const models::SentenceVae& vae, const models::TextClassifier& classifier,
            const at::Tensor& translation, const at::Tensor& prior, const Training& options,
            double typical_nats);

  /// A batch of texts of one length; some of their words are hidden from the encoder and from the decoder.
  struct Batch {
    at::Tensor numbers, answers;
    at::Tensor seen, before;  ///< what the encoder and the decoder see
    at::Tensor code;          ///< drawn from q(z|x)
    models::Candidates candidates;
  };
  Batch prepare(const at::Tensor& numbers, const at::Tensor& answers, at::Generator& generator) const;

  /// Evidence lower bound, words without their order, pull and adversary. Draws the batch's code.
  StepTerms texts(Batch& batch, double kl_weight, at::Generator& generator) const;
  /// Information flow, cycle and fluency, on texts decoded from drawn codes.
  StepTerms rollouts(const Batch& batch, at::Generator& generator) const;
  /// The words that the classifier does not read its answer from, under another alpha.
  StepTerms kept_words(const Batch& batch, at::Generator& generator) const;

 private:
  at::Tensor losses(const Batch& batch, const at::Tensor& code) const;
  at::Tensor translated(const at::Tensor& numbers) const;
  at::Tensor codes_to_decode(const at::Tensor& code, at::Generator& generator) const;

  const models::SentenceVae& vae_;
  const models::TextClassifier& classifier_;
  at::Tensor translation_, classifier_table_, prior_;
  const Training& options_;
  double typical_nats_;
};

/// How little each word of texts of one length (N, T), in the classifier's vocabulary, matters to its answer: 1 for a word that does not, 0 for the one
/// that matters most. A word matters as |gradient of (the largest logit - the mean one) * word vector|, over the text's largest (gradient times input;
/// Shrikumar, Greenside and Kundaje 2017).
at::Tensor spared_words(const models::TextClassifier& classifier, const at::Tensor& numbers);

}  // namespace whence::text
