// Adam on the codes of many images at once, each of which stops by itself.
#pragma once

#include <ATen/core/Tensor.h>

#include <functional>

#include "whence/explain/counterfactual/morphing.h"

namespace whence::counterfactual {

/// What one image's search knows; rows of a batch.
struct Descent {
  at::Tensor codes;     ///< (n, D), where the search stands; at the end of a finished one, its morph
  at::Tensor finished;  ///< bool (n)
  at::Tensor steps;     ///< int64 (n)
  at::Tensor surest;    ///< (n, D), the code with the largest lead so far
  at::Tensor lead;      ///< (n), its lead
};

/// The terms of an objective, (n) each, that is minimised: first + weight * scale * second. With `balanced`, scale is the running mean
/// of |first| by the running mean of |second| (Parafita 2018, section 4.5), else 1.
struct Terms {
  at::Tensor first, second;
};
struct DescentOptions {
  std::int64_t iterations = 150;
  double learning_rate = 3e-2, weight = 1, entropy = 0.01;
  bool cosine = true, balanced = false;
};

/// start (n, D); from, to (n); residual: of decode_with. `terms(logits, codes, to)` is differentiated by the codes.
Descent descend(const models::Decoder& decoder, const models::Classifier& classifier, const at::Tensor& start,
                const at::Tensor& from, const at::Tensor& to, const at::Tensor& residual,
                const DescentOptions& options,
                const std::function<Terms(const at::Tensor& logits, const at::Tensor& codes,
                                          const at::Tensor& to)>& terms);

}  // namespace whence::counterfactual
