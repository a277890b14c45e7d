// How fluent decoded texts are, as a training can differentiate it. Values are those of the hard words; gradients reach the shares as those of
// sum_c share_c cost(c | the hard words before) at each place.
#pragma once

#include <ATen/core/Tensor.h>

#include "whence/explain/text/decoding.h"
#include "whence/models/text/language_model.h"

namespace whence::text {

/// -log p of a word of each text in nats, (N): the mean over its words and its end, where it has one. The model gets no gradients.
at::Tensor nats_per_word(const models::LanguageModel& model, const RelaxedTexts& texts);
/// The same of real texts, without gradients. numbers: what to_numbers gives, (N, T).
at::Tensor nats_per_word(const models::LanguageModel& model, const at::Tensor& numbers);

/// How many pairs of neighbouring words of each text stand in it before, (N).
at::Tensor repeated_pairs(const RelaxedTexts& texts);

}  // namespace whence::text
