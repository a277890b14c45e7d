// Which words speak for a classifier's answer: the baselines beside a cause.
#pragma once

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

}  // namespace whence::text
