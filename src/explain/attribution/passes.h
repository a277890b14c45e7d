// f and its gradient for many images, a bounded number of them at a time.
#pragma once

#include <functional>

#include "whence/explain/attribution/method.h"

namespace whence::attribution {

struct ScoreGradient {
  at::Tensor scores, gradient;  ///< f(x), (N); df/dx, like x
};

/// The target's logit or probability, (N), of logits (N, M). Differentiable.
at::Tensor of_target(const at::Tensor& logits, const at::Tensor& target, Score score);

/// Calls body(first, count) for at most `batch` rows at a time and hears interruptions in between. Classifiers with layers take
/// several calls at once, a thread each.
void in_passes(const models::Classifier& classifier, std::int64_t rows, std::int64_t batch,
               const std::function<void(std::int64_t first, std::int64_t count)>& body);

ScoreGradient score_gradient(const models::Classifier& classifier, const at::Tensor& x,
                             const at::Tensor& target, const Options& options);

/// Images changed in several ways. A change adds a dimension in front: (changes, N, C, H, W) -> scores (changes, N), and gradients
/// like the images.
at::Tensor changed_scores(const Request& request, const at::Tensor& changed, const Options& options);
ScoreGradient changed_gradients(const Request& request, const at::Tensor& changed, const Options& options);

/// Calls body(first, count) for changes 0 .. changes - 1, as many at once as fit into a pass with all images of the request.
void in_changes(const Request& request, std::int64_t changes, const Options& options,
                const std::function<void(std::int64_t first, std::int64_t count)>& body);

/// Sum of the values less gain, float64 (N).
at::Tensor excess(const at::Tensor& values, const at::Tensor& gain);

}  // namespace whence::attribution
