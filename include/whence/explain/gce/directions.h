// Causes in a frozen generator: the directions of its latent space that move a classifier.
//
// A generator g was trained by others and stays as it is. An orthonormal U (D, K) divides its latents into z = U alpha + V xi, V a basis of
// what is orthogonal to U. Then alpha and xi are independent N(0, I) whenever z is, and I(alpha; Y), I(xi; Y) are those of a causal
// explanation whose betas are xi.
#pragma once

#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>

#include <cstdint>

#include "whence/core/progress.h"
#include "whence/models/roles.h"

namespace whence::gce {

struct DirectionOptions {
  std::int64_t causal = 1;              ///< K
  std::int64_t samples = 256;           ///< of N(0, I), at which gradients are taken
  std::int64_t steps = 0;               ///< of refinement by ascent on I(alpha; Y); 0: none
  std::int64_t outer = 32, inner = 32;  ///< draws of a step: the noise of fewer hides the gain
  double learning_rate = 0.02;
  std::int64_t batch = 64;  ///< samples that go through decoder and classifier at once
};

/// Two starts, (D, K) each with orthonormal columns: the mean gradients of the classes' logits, each less the mean over classes, and after
/// these M - 1 the main directions of all gradients in what is left; or only the latter, which also see effects that differ in sign.
at::Tensor mean_gradient_directions(const models::Decoder& decoder, const models::Classifier& classifier,
                                    const DirectionOptions& options, at::Generator& generator);
at::Tensor main_gradient_directions(const models::Decoder& decoder, const models::Classifier& classifier,
                                    const DirectionOptions& options, at::Generator& generator);

/// Ascent on I(alpha; Y) from a start (D, K) with orthonormal columns, which stay so. Progress: stage "directions".
at::Tensor refined_directions(const models::Decoder& decoder, const models::Classifier& classifier,
                              const at::Tensor& start, const DirectionOptions& options,
                              at::Generator& generator, const ProgressCallback& progress = {});

/// The start with more flow on its own draws, refined. Progress: stage "directions". Errors (usage): K that is not from 1 to D;
/// a classifier or decoder without gradients.
at::Tensor causal_directions(const models::Decoder& decoder, const models::Classifier& classifier,
                             const DirectionOptions& options, at::Generator& generator,
                             const ProgressCallback& progress = {});

/// (D, D) orthogonal; its first K columns are those of `directions` (D, K).
at::Tensor rotation_of(const at::Tensor& directions);
/// The same, and what is orthogonal to them stands in falling order of the classifier's mean squared gradient along it, at options.samples draws.
at::Tensor ordered_rotation(const models::Decoder& decoder, const models::Classifier& classifier,
                            const at::Tensor& directions, const DirectionOptions& options,
                            at::Generator& generator);

}  // namespace whence::gce
