// A softmax over some of the words, whose sum stands for that over all.
#pragma once

#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>

#include <cstdint>

namespace whence::models {

/// All words of a batch, and others drawn without replacement. Each of those stands for as many of the words left out, so that the
/// sum over the candidates is an unbiased estimate of the softmax's (Bengio and Senecal 2003).
struct Candidates {
  at::Tensor words;       ///< int64, (C)
  at::Tensor correction;  ///< (C): log of how many words each one stands for
  at::Tensor place;       ///< int64, (V): where a word stands in `words`; 0 for the others
};

/// `targets`: words of the batch, any shape. At least as many as are left: all words.
Candidates draw_candidates(const at::Tensor& targets, std::int64_t words, std::int64_t sampled,
                           at::Generator& generator);

/// -log p of the target at each place, in nats. queries: (..., E), targets: int64 (...); embedding (V, E), bias (V).
at::Tensor sampled_losses(const at::Tensor& queries, const at::Tensor& targets, const at::Tensor& embedding,
                          const at::Tensor& bias, const Candidates& candidates);

}  // namespace whence::models
