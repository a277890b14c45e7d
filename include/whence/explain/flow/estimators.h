// Estimators of the information flow I(F; Y) from class probabilities of decoded draws.
//
// F is a set of latent factors, R the rest, Y the classifier's output for g(F, R). With latents independent,
//   I(F; Y) = E_F sum_y p(y|F) log p(y|F) - sum_y p(y) log p(y),   p(y|F) = E_R p(y | g(F, R)),
// in nats (O'Shaughnessy et al. 2020, eq. 2 and appendix D). It is estimated from `outer` draws of F with `inner`
// draws of R each: probabilities P (outer, inner, M), float32 or float64.
#pragma once

#include <ATen/core/Tensor.h>

#include <string_view>

#include "whence/explain/flow/draws.h"

namespace whence::flow {

/// The plug-in value is biased: the inner mean's noise raises it, the outer mean's noise lowers it.
/// delta: subtracts the second-order (Miller-Madow-like) bias, from the draws' own variances, in closed form.
/// jackknife: leave-one-out over inner and outer draws.
enum class Correction { none, delta, jackknife };

/// How draws are made and turned into a value.
struct Estimator {
  Sampling sampling = Sampling::nested;
  Placement outer_draws = Placement::stratified;
  Correction correction = Correction::delta;       ///< jackknife needs independent draws
  Placement inner_draws = Placement::independent;  ///< of R, when crossed draws change roles
};

/// I(F; Y) as a differentiable scalar of P (outer, inner, M). May be slightly negative after a correction.
at::Tensor mutual_information(const at::Tensor& probabilities, const Estimator& estimator);

/// H(Y) + E log q(Y|F) <= I(F; Y), the lower bound of Barber and Agakov (2003, "The IM algorithm"), from log q(y|F) of
/// each outer draw, (outer, M). It is tight, and its gradient in P is that of I(F; Y), where q(y|F) = p(y|F). The
/// correction is that of H(Y). Differentiable in both.
at::Tensor variational_information(const at::Tensor& probabilities, const at::Tensor& log_q,
                                   const Estimator& estimator);

/// I(F; Y | R) from crossed draws: the mean over R of the information between F and Y with R held. Differentiable.
at::Tensor conditional_information(const at::Tensor& probabilities, const Estimator& estimator);

struct FlowValue {
  double nats = 0;
  /// Standard error: of drawing the outer draws again (nested), outer and inner draws (crossed). With stratified draws
  /// it comes from differences of neighbours (collapsed strata, Cochran 1977, section 5A.12) and errs upwards.
  double se = 0;
};

/// The estimate with its standard error, computed in float64.
FlowValue estimate_flow(const at::Tensor& probabilities, const Estimator& estimator);

std::string_view name_of(Correction correction);

}  // namespace whence::flow
