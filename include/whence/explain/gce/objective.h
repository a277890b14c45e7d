// The causal term of the objective: C - lambda * (SSE + KL) is maximised (O'Shaughnessy et al. 2020, eq. 1).
#pragma once

#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string_view>
#include <vector>

#include "whence/explain/flow/estimators.h"
#include "whence/explain/gce/label_model.h"

namespace whence::gce {

/// The four objectives of O'Shaughnessy et al. (2020, section 3.3), alpha = the K causal factors:
///   joint_unconditional          I(alpha; Y)
///   joint_conditional            I(alpha; Y | beta)
///   independent_unconditional    (1/K) sum_i I(alpha_i; Y)
///   independent_conditional      (1/K) sum_i I(alpha_i; Y | the other factors)
enum class Objective {
  joint_unconditional,
  joint_conditional,
  independent_unconditional,
  independent_conditional
};

/// How p(y | alpha) is found.
/// averaged: the mean over the draws of beta.
/// variational: a small network learns it beside the generator, which maximises a lower bound of C instead
/// (variational_information). One draw of beta for each of alpha is then enough. joint_unconditional only.
enum class Inference { averaged, variational };

/// Which latents the causal term is asked about.
/// prior: draws of N(0, I), as published. The generator may show anything there that no image is encoded near.
/// posterior: those of the step's images, each image's factors with the rest of others: near what SSE holds to the data.
/// The causal term moves the encoder through them, too, as it does not through the prior's.
enum class Latents { prior, posterior };

struct CausalOptions {
  Objective objective = Objective::joint_unconditional;
  Inference inference = Inference::averaged;
  /// Conditional objectives need crossed draws. Stratified draws are trained best without a correction, whose own
  /// variance costs more than the bias that it takes away (docs/estimators.md).
  flow::Estimator estimator = {flow::Sampling::crossed, flow::Placement::stratified, flow::Correction::none};
  std::int64_t alpha_samples = 16;  ///< outer draws; of the posterior there is one for each image instead
  std::int64_t beta_samples = 2;    ///< inner draws
  Latents latents = Latents::prior;
};

/// Draws first, values later: so that the caller can decode them together with its reconstructions.
struct CausalDraws {
  CausalOptions options;
  at::Tensor latents;       ///< (rows, K + L); rows = groups * alpha_samples * beta_samples
  std::int64_t groups = 1;  ///< 1 for the joint objectives, K for the independent ones

  CausalDraws to(at::Device device) const;
};
CausalDraws draw_causal(std::int64_t causal, std::int64_t noncausal, const CausalOptions& options,
                        at::Generator& generator);
/// The same of the posterior: `latents` (images, K + L) are draws of it, one for each image, and carry its gradient.
CausalDraws draw_causal(std::int64_t causal, std::int64_t noncausal, const CausalOptions& options,
                        const at::Tensor& latents);

/// C in nats, a differentiable scalar. probabilities: (rows, M), of the decoded draws.
at::Tensor causal_effect(const CausalDraws& draws, const at::Tensor& probabilities);
/// The variational lower bound of C; differentiable in the model's parameters too, which maximise it as well.
at::Tensor variational_effect(const CausalDraws& draws, const at::Tensor& probabilities,
                              const LabelModel& labels);

/// I(beta; Y) in nats from the same draws, a differentiable scalar: crossed draws of alpha with beta are crossed draws
/// of beta with alpha, so that no further image is decoded. Bias-corrected as the causal effect; may be slightly
/// negative. Anonymous 2021a (section 4.5) asks for a penalty on it. Error (usage): needs crossed sampling, all alphas drawn
/// together (a joint objective, or K = 1), and at least 2 draws of beta.
at::Tensor leaked_effect(const CausalDraws& draws, const at::Tensor& probabilities);

/// KL(p || q) in nats, averaged over images: p (n, M) is what the classifier answers to them, log q (n, M) what it answers
/// to their reconstructions; a scalar, differentiable in log q. What SSE does not see: a few pixels can be all that the
/// classifier looks at. Not of the papers, whose reconstructions may be another class to the classifier than their images.
at::Tensor answer_divergence(const at::Tensor& p, const at::Tensor& log_q);

std::string_view name_of(Objective objective);
std::string_view name_of(Inference inference);
std::string_view name_of(Latents latents);

}  // namespace whence::gce
