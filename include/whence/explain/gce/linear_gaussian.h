// The case that can be worked out: data x ~ N(0, S), a linear generator x = W (alpha, beta) + noise, and a classifier that
// asks on which side of one hyperplane, or of two (an AND), x lies (O'Shaughnessy et al. 2020, section 4; anonymous 2021b section
// 2.1). What training finds can be held against the answer.
//
// A generator fits the data when W W^T = S. Then W = S^(1/2) R with a rotation R, and the classifier's part of W is what R
// turns the vectors S^(1/2) v into. All flow is in the alphas when their columns span those of S v, one for each hyperplane.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "whence/core/progress.h"
#include "whence/explain/gce/objective.h"

namespace whence::gce {

/// All tensors are float64.
struct LinearGaussian {
  at::Tensor covariance;  ///< S (D, D), positive definite
  at::Tensor normals;     ///< (1 or 2, D): p(y = 1 | x) = the product of sigmoid(v . x) over its rows v
  double noise = 0.01;    ///< variance of the generator's noise, of each dimension
};

/// I(alpha; Y) in nats of x = W z, z ~ N(0, I), where alpha are the first `causal` columns of W (D, K + L): by quadrature,
/// to some 1e-6 (where both alpha and beta move two hyperplanes, to 1e-4 as long as no v . x varies by more than 3). The noise is left out, as it is when a classifier is asked about a generated image.
double exact_flow(const LinearGaussian& problem, const at::Tensor& weight, std::int64_t causal);

/// KL(N(0, S) || N(0, W W^T + noise I)) in nats: how far the generator is from the data. Differentiable in W.
at::Tensor divergence(const LinearGaussian& problem, const at::Tensor& weight);

/// W that fits the data and has its first column at `angle` (radians) in the plane in which S is I; two dimensions only.
at::Tensor fitted_weight(const LinearGaussian& problem, double angle);

/// Where the columns of the best alphas lie: S v for each hyperplane, each of length 1. (D, hyperplanes)
at::Tensor best_directions(const LinearGaussian& problem);

/// The largest angle between a direction in the columns' span of one matrix and the other's span, in radians (0 .. pi / 2).
double largest_angle(const at::Tensor& columns, const at::Tensor& others);

struct LinearGaussianTraining {
  std::int64_t causal = 1, noncausal = 1;
  double lambda = 2;  ///< maximises I(alpha; Y) - lambda * divergence
  CausalOptions effect = {.alpha_samples = 64, .beta_samples = 8};
  std::int64_t steps = 4000;
  double learning_rate = 0.2;  ///< of Adam, in one cycle
  std::uint64_t seed = 0;
};

/// Learns W (D, K + L) from draws, from a random start. Progress: stage "linear-Gaussian".
at::Tensor learn_weight(const LinearGaussian& problem, const LinearGaussianTraining& options,
                        const ProgressCallback& progress = {});

}  // namespace whence::gce
