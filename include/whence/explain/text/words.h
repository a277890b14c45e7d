// Which words speak for a classifier's answer: the baselines beside a cause.
#pragma once

#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>

#include <cstdint>

#include "whence/models/text/classifier.h"

namespace whence::text {

/// How much the logit of `target` falls when a word becomes unknown (occlusion; Zeiler and Fergus 2014), (N, T); 0 behind the end.
/// numbers: int64 (N, T) in the classifier's vocabulary; target: int64 (N).
at::Tensor word_occlusion(const models::TextClassifier& classifier, const at::Tensor& numbers,
                          const at::Tensor& target);

/// Integrated gradients of the word vectors, added up over each word's vector (Sundararajan, Taly and Yan 2017), (N, T). The baseline is a text of as many
/// unknown words; the path is cut into `steps` equal parts and read in their middles. A row's sum is the difference of the logits up to the error of this sum.
at::Tensor word_integrated_gradients(const models::TextClassifier& classifier, const at::Tensor& numbers,
                                     const at::Tensor& target, std::int64_t steps = 64);

/// SmoothGrad of the word vectors (Smilkov et al. 2017), (N, T): the mean gradient of the logit of `target` at `samples` copies of the text, to whose vectors N(0, s^2) is added, times
/// the word's vector, added up over it. s is `noise` times the range of the text's vectors.
at::Tensor word_smooth_gradients(const models::TextClassifier& classifier, const at::Tensor& numbers,
                                 const at::Tensor& target, at::Generator& generator,
                                 std::int64_t samples = 32, double noise = 0.15);

}  // namespace whence::text
