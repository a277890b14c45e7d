// The smallest move of the alphas that changes the answer to a text.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "whence/models/text/sentence_vae.h"

namespace whence::text {

struct ChangeSearch {
  std::optional<std::int64_t> to = {};  ///< the class asked for; none: any but that of the text of z
  double probability = 0;  ///< of the new class, at least, below 1; 0: it need only be the most probable
  double radius = 3;       ///< largest |alpha| that is tried
  double step = 0.05;      ///< from one shell to the next
  std::int64_t rays = 0;   ///< for K >= 2; 0: 32 for K = 2, else 16 K
};

struct NearestChange {
  std::vector<double> alpha;  ///< all of them, (K)
  double distance = 0;        ///< |alpha - that of z|
  at::Tensor numbers;         ///< the decoded text, int64 (T)
  at::Tensor answer;          ///< probabilities, (M)
};

/// Tries alphas around those of the code z (1, D), shell by shell outwards along fixed rays, and returns the first whose decoded text gets an answer that is
/// asked for; beta is kept. `answers`: probabilities (N, M) of texts (N, T). Nothing where there is none. Where `to` is the answer to the text of z itself, that is what is
/// returned. Guarantee, K = 1: no multiple of `step` that is nearer changes the answer. K >= 2: nor along the rays, which are even angles for K = 2, else
/// the axes and fixed random directions. A text is a step function of alpha, so there is no gradient that could lead nearer.
/// Errors (usage): a radius that is negative, a step that is not above 0, fewer rays than 0, a probability outside [0, 1).
std::optional<NearestChange> nearest_change(
    const models::SentenceVae& vae, const at::Tensor& z, std::int64_t longest,
    const std::function<at::Tensor(const at::Tensor& numbers)>& answers, const ChangeSearch& search = {});

}  // namespace whence::text
