// f and its gradient, in batches.
#pragma once

#include "whence/explain/attribution/attribution.h"

namespace whence::attribution {

struct ScoreGradient {
  at::Tensor scores, gradient;  ///< f(x), (N); df/dx, like x
};
ScoreGradient score_gradient(const models::Classifier& classifier, const at::Tensor& x,
                             const at::Tensor& target, Score score);

}  // namespace whence::attribution
