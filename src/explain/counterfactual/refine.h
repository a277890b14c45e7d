// Codes nearer to their images than an encoder's answer, by descent through the decoder.
#pragma once

#include <ATen/core/Tensor.h>

#include "whence/explain/counterfactual/image_model.h"

namespace whence::counterfactual {

/// Larger than any distance of images: what a code costs whose decoding loses the image's second class, and one that loses its answer.
constexpr double kLosesSecond = 1e6, kLosesAnswer = 1e9;

/// The sum of these costs, float64 (n). logits (n, M) of decodings; answers (n, 2), the image's two most probable classes.
at::Tensor cost_of_lost_classes(const at::Tensor& logits, const at::Tensor& answers);

/// Codes that were chosen for images, (n, D), whether both classes are kept, bool (n), and squared errors, float32 (n).
struct ChosenCodes {
  at::Tensor codes, kept, errors;
};

/// The hybrid of Zhu et al. 2016 (an encoder's answer, then descent): Adam with a cosine decay on |g(z) - x|^2 + w |z|^2, each image
/// with its own loss, options.refinement iterations. Of the iterates whose error is at most that of the start, the one with the
/// least loss is kept; one that loses a class gives way to any that does not. So no error rises, and no class is lost. Errors: a
/// decoder without gradients; an interruption.
ChosenCodes refine(const models::Decoder& decoder, const models::Classifier& classifier,
                   const at::Tensor& images, const at::Tensor& answers, const ChosenCodes& start,
                   const CodeOptions& options);

}  // namespace whence::counterfactual
