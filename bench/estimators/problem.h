// Problems on which estimators of the information flow are compared: a generator with free parameters, a classifier,
// and the true flow with its gradient.
#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "whence/explain/gce/estimators.h"

namespace whence::bench {

struct Truth {
  double nats = 0;
  at::Tensor gradient;  ///< of the flow by all parameters, flattened
};

struct Problem {
  std::string name;
  std::int64_t causal = 1, noncausal = 4;
  /// Class probabilities (N, M) of latents (N, K + L), differentiable in `parameters`.
  std::function<at::Tensor(const at::Tensor& latents)> probabilities;
  std::vector<at::Tensor> parameters;
  Truth truth;
};

/// One estimate of I(alpha; Y) by `outer` x `inner` draws and its gradient (flattened; undefined when not asked for).
struct Estimate {
  double nats = 0;
  at::Tensor gradient;
};
Estimate estimate(const Problem& problem, const gce::Estimator& estimator, std::int64_t outer,
                  std::int64_t inner, bool with_gradient, at::Generator& generator);

/// x = W z and a classifier softmax(s V x) of `classes` classes; W is the parameter. The truth is the mean of four nested
/// estimates from 4096 stratified x 128 draws, with the delta correction.
Problem linear_gaussian(std::int64_t classes, std::int64_t causal);

/// The trained decoder and classifier of a run folder; the decoder's weights are the parameters.
Problem of_run(const std::string& folder);

}  // namespace whence::bench
