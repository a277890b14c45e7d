// Measurements in two halves, for many processes: what the classifier answers, item by item, and what follows from all answers.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "whence/explain/flow/ablation.h"
#include "whence/explain/flow/information_flow.h"

namespace whence::flow {

/// flow::ablate, whose draws are `fresh`, (n, D). bool (n, 2 + D): whether the classifier is right on the image, on its reconstruction,
/// and with each latent replaced. Progress and errors: as ablate.
at::Tensor right_answers(const models::Encoder& encoder, const models::Decoder& decoder,
                         const models::Classifier& classifier, const data::Dataset& dataset,
                         const at::Tensor& fresh, const ProgressCallback& progress = {});
/// Of the answers to all images.
Ablation ablation_of(const at::Tensor& right);

/// Batches of draws that flow::measure_flow decodes. Every batch is of one set of factors.
std::int64_t flow_batches(const models::Decoder& decoder, const models::Classifier& classifier,
                          std::int64_t causal, const FlowOptions& options);
/// Probabilities (draws, M) of the draws of batches first .. first + count - 1. Progress and errors: as measure_flow.
at::Tensor flow_answers(const models::Decoder& decoder, const models::Classifier& classifier,
                        std::int64_t causal, const FlowOptions& options, std::uint64_t seed,
                        std::int64_t first, std::int64_t count, const ProgressCallback& progress = {});
/// From the answers of all batches: what measure_flow returns, bit for bit.
FlowReport flow_of_answers(const at::Tensor& answers, std::int64_t latents, std::int64_t causal,
                           const FlowOptions& options, std::uint64_t seed);

}  // namespace whence::flow
