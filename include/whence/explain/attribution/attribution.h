// What attributions are: for each value of an image, how much it speaks for a class.
// Shapes, for all methods: x (N, C, H, W), float32 in [0, 1]; target int64 (N), the explained class.
#pragma once

#include <ATen/core/Tensor.h>

#include <string_view>

#include "whence/models/roles.h"

namespace whence::attribution {

/// f, the function that is explained: the target's logit, or its probability (softmax). The probability is flat where the
/// classifier is sure.
enum class Score { logit, probability };

struct Attribution {
  /// In units of f, or of df/dx. Like x; (N, 1, H, W) where a method gives one value for a pixel.
  at::Tensor values;
  at::Tensor scores;  ///< f(x), (N)
  /// Sum of the values less what they should sum to, float64 (N): how far the method is from its axiom. Methods from a baseline x'
  /// promise f(x) - f(x') (completeness; Sundararajan, Taly and Yan 2017, section 3). Relevance methods promise the
  /// relevance of the logits (conservation; Bach et al. 2015, equation 2). Undefined for methods that promise neither.
  at::Tensor completeness_error;
  /// Of the values, like them: by how much other draws would change them. Undefined for methods that draw nothing.
  at::Tensor standard_error;
  /// float64 (N): of methods that explain an approximation of f, or take a closed form for an optimum, by how much the approximation
  /// is wrong, as a share.
  at::Tensor approximation_error = {};
};

/// Images that go through a classifier at once, where nothing else is asked for.
constexpr std::int64_t kRowsAtOnce = 64;

/// f of each image, (N).
at::Tensor scores_of(const models::Classifier& classifier, const at::Tensor& x, const at::Tensor& target,
                     Score score, std::int64_t batch = kRowsAtOnce);

/// The class that the classifier gives each image, int64 (N).
at::Tensor answers_to(const models::Classifier& classifier, const at::Tensor& x,
                      std::int64_t batch = kRowsAtOnce);

std::string_view name_of(Score score);

}  // namespace whence::attribution
