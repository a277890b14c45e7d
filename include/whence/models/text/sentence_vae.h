// A variational autoencoder of short texts (Bowman et al. 2016).
#pragma once

#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>

#include "whence/models/roles.h"
#include "whence/models/text/recurrent.h"
#include "whence/nn/training/parameters.h"

namespace whence::models {

enum class VaeArchitecture {
  /// GRU in both directions -> posterior. The code goes through a small network to every step and to every word's query, and linearly to the
  /// LSTM's first state. Each causal factor enters as tanh(a) and tanh(8 a), so that the decoder can switch. Input and output share word vectors.
  guided,
  /// Verhoeven et al. 2021, appendix C: one LSTM encodes (last hidden state and cell -> posterior), one decodes; the code is its first state and
  /// stands beside every input word.
  published,
};

struct SentenceVaeShape {
  VaeArchitecture architecture = VaeArchitecture::guided;
  std::int64_t words = 0;    ///< of the vocabulary
  std::int64_t classes = 2;  ///< of the classifier: an adversary on the noncausal factors guesses its answer
  std::int64_t causal = 1, noncausal = 31;
  std::int64_t embedding = 128;
  std::int64_t encoder_hidden = 128;  ///< of each direction
  std::int64_t decoder_hidden = 256;
  std::int64_t guide = 64;  ///< width of what the code tells to every step (guided)

  std::int64_t latents() const { return causal + noncausal; }
};

class SentenceVae {
 public:
  SentenceVae(const SentenceVaeShape& shape, at::Generator& generator);

  const SentenceVaeShape& shape() const { return shape_; }
  nn::Parameters& parameters() { return parameters_; }
  /// Handles to the encoder's own tensors, and to all others. The word vectors, which the decoder reads, too, are among the others.
  nn::Parameters encoder_parameters() const;
  nn::Parameters other_parameters() const;
  const at::Tensor& embedding() const { return embedding_; }
  const at::Tensor& bias() const { return bias_; }

  /// From word vectors (N, T, embedding); `lengths` as Recurrent::run takes them.
  Posterior encode(const at::Tensor& vectors, const at::Tensor& lengths = {}) const;

  /// What a code z (N, D) tells the decoder.
  struct Guidance {
    at::Tensor guide;         ///< (N, guide)
    at::Tensor hidden, cell;  ///< the first state, (N, decoder_hidden)
  };
  Guidance guidance(const at::Tensor& z) const;

  /// Queries for all words at once, (N, T, embedding), when `vectors` (N, T, embedding) are the words before them. A word's logit is its vector times
  /// the query plus its bias.
  at::Tensor queries(const at::Tensor& vectors, const Guidance& guidance) const;
  /// The same for one word, (N, embedding). Moves hidden state and cell of `guidance` on.
  at::Tensor next_query(const at::Tensor& vector, Guidance& guidance) const;
  /// A query for all words of the text without their order, (N, embedding).
  at::Tensor bag_query(const at::Tensor& z) const;

  /// log q(y | alpha) of the classes, (N, classes): what alpha promises. alpha: (N, causal).
  at::Tensor promise(const at::Tensor& alpha) const;
  /// What an adversary makes of the noncausal factors, logits (N, classes). With `fixed` its own weights get no gradient.
  at::Tensor guess(const at::Tensor& beta, bool fixed) const;

 private:
  at::Tensor switched(const at::Tensor& alpha) const;
  at::Tensor features(const at::Tensor& z) const;

  SentenceVaeShape shape_;
  nn::Parameters parameters_;
  at::Tensor embedding_, bias_;
  Recurrent encoder_, decoder_;
  Linear posterior_, first_state_, query_;
  std::optional<Linear> guide_hidden_, guide_, guided_query_;
  Linear bag_, promise_, guess_hidden_, guess_;
};

}  // namespace whence::models
