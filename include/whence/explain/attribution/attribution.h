// What attributions are: for each value of an image, how much it speaks for a class.
// Shapes, for all methods: x (N, C, H, W), float32 in [0, 1]; target int64 (N), the class that is asked about.
#pragma once

#include <ATen/core/Tensor.h>

#include <string_view>

#include "whence/models/roles.h"

namespace whence::attribution {

/// f, the function that is explained: the target's logit, or its probability (softmax), which is flat where the classifier is
/// sure.
enum class Score { logit, probability };

struct Attribution {
  at::Tensor values;  ///< float32, like x, in units of f
  at::Tensor scores;  ///< f(x), (N)
  /// Sum of the values less f(x) - f(baseline), (N): how far the method is from completeness (Sundararajan et al. 2017,
  /// section 3), which it has in exact arithmetic. Undefined for methods that do not promise it.
  at::Tensor completeness_error;
};

/// f of each image, (N).
at::Tensor scores_of(const models::Classifier& classifier, const at::Tensor& x, const at::Tensor& target,
                     Score score);

/// The class that the classifier gives each image, int64 (N).
at::Tensor answers_to(const models::Classifier& classifier, const at::Tensor& x);

std::string_view name_of(Score score);

}  // namespace whence::attribution
