// The smallest move of alpha that changes the answer to a text.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <optional>

#include "whence/models/text/sentence_vae.h"

namespace whence::text {

struct NearestChange {
  double alpha = 0;    ///< the first alpha
  at::Tensor numbers;  ///< the decoded text, int64 (T)
  at::Tensor answer;   ///< probabilities, (M)
};

/// Tries values of the first alpha at `step` around that of the code z (1, D), the nearest first, up to `most` in size, and returns
/// the first whose decoded text gets another answer than the text of z itself. `answers`: probabilities (N, M) of texts (N, T). Nothing where there is none.
std::optional<NearestChange> nearest_change(
    const models::SentenceVae& vae, const at::Tensor& z, std::int64_t longest,
    const std::function<at::Tensor(const at::Tensor& numbers)>& answers, double step = 0.05, double most = 3);

}  // namespace whence::text
