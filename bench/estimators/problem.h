// Problems on which estimators of the information flow are compared: a generator with free parameters, a classifier,
// and the true flow with its gradient.
#pragma once

#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>

#include <functional>
#include <string>
#include <vector>

namespace whence::bench {

/// The mean of some large nested estimates, with its standard error.
struct Truth {
  double nats = 0, se = 0;
  at::Tensor gradient;        ///< of the flow by all parameters, flattened
  double gradient_error = 0;  ///< relative to the gradient's length
};

/// How far the gradient of lambda (SSE + KL) from one batch of images is from that of all images, in units of the flow's
/// true gradient: what a training step errs by besides.
struct ImageNoise {
  std::int64_t batch;
  double error;
};

struct Problem {
  std::string name;
  std::int64_t classes = 2, causal = 1, noncausal = 4;
  /// Class probabilities (N, M) of latents (N, K + L), differentiable in `parameters`.
  std::function<at::Tensor(const at::Tensor& latents)> probabilities;
  std::vector<at::Tensor> parameters;
  Truth truth;
  std::vector<ImageNoise> image_noise;  ///< where there are images

  /// Indices of alpha.
  std::vector<std::int64_t> factors() const;
  /// By all parameters, flattened, float64.
  at::Tensor gradient_of(const at::Tensor& value) const;
};

/// x = W z and a classifier softmax(s V x) of `classes` classes; W is the parameter.
Problem linear_gaussian(std::int64_t classes, std::int64_t causal);

/// The trained decoder and classifier of a run folder; the decoder's weights are the parameters.
Problem of_run(const std::string& folder);

}  // namespace whence::bench
