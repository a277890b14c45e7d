// Class probabilities of decoded codes and of images, for everything that measures and does not train.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>

#include "whence/models/roles.h"

namespace whence::flow {

/// Images of this many samples at a time where no memory budget is given.
inline constexpr std::int64_t kBatch = 500;

/// softmax of the logits in float32 or better, (n, M). Errors: NaN, and the sentence says whether the images had it
/// already; an interrupt, as for_batches.
at::Tensor probabilities_of(const models::Classifier& classifier, const at::Tensor& images);

/// Calls `body(first, count)` for consecutive ranges of at most `batch` of `total` rows; stops before any of them when an
/// interrupt came (throw_if_interrupted). Not for training: its loop stops between steps, where a checkpoint is whole.
void for_batches(std::int64_t total, std::int64_t batch,
                 const std::function<void(std::int64_t first, std::int64_t count)>& body);

/// The most values that two neighbouring layers of a network hold for one sample.
std::int64_t widest_pair(const nn::Network& network);

/// Samples whose decoding and classification fits into `memory_bytes`, from the networks' layers where they
/// are known.
std::int64_t samples_within(const models::Decoder& decoder, const models::Classifier& classifier,
                            std::int64_t memory_bytes);

}  // namespace whence::flow
