// Texts from codes: greedily, as they are judged, and relaxed, as a training can differentiate them.
#pragma once

#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>

#include "whence/models/roles.h"
#include "whence/models/text/sentence_vae.h"

namespace whence::text {

/// The most probable word after the other, never the same word twice in a row, never an unknown one, at least one word, at most `longest`: numbers,
/// int64 (N, longest), kEnd behind each text. z: (N, D).
at::Tensor decode_greedily(const models::SentenceVae& vae, const at::Tensor& z, std::int64_t longest);

struct RelaxedDecoding {
  std::int64_t candidates = 24;  ///< words of a step that gradients flow to
  double noise =
      0.3;  ///< times Gumbel noise on the logits (Gumbel 1954): texts differ a little from the greedy ones
  std::int64_t longest = 13;  ///< words
};

/// Hard words with soft gradients (straight-through; Bengio, Leonard and Courville 2013, Jang, Gu and Poole 2017): the share of the chosen word is 1
/// and that of the other candidates 0, while gradients are those of the softmax over the candidates.
struct RelaxedTexts {
  at::Tensor candidates;  ///< int64, (N, T, C): words
  at::Tensor shares;      ///< (N, T, C)
  at::Tensor numbers;     ///< int64, (N, T): the chosen words, kEnd behind the end
  at::Tensor lengths;     ///< int64, (N), at least 1

  /// Word vectors (N, T, E) from a table (V, E) that has a row for each word of the vocabulary.
  at::Tensor vectors(const at::Tensor& table) const;
};
RelaxedTexts decode_relaxed(const models::SentenceVae& vae, const at::Tensor& z,
                            const RelaxedDecoding& options, at::Generator& generator);

/// z -> greedily decoded texts in the numbers of another vocabulary, (N, longest): what a classifier reads. `translation`: int64 (V), as
/// Vocabulary::translation_from gives it.
std::unique_ptr<models::Decoder> as_decoder(const models::SentenceVae& vae, const at::Tensor& translation,
                                            std::int64_t longest);

}  // namespace whence::text
