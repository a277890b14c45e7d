// Estimators of the information flow I(F; Y) from class probabilities of decoded draws.
//
// F is a set of latent factors, R the rest, Y the classifier's output for g(F, R). With latents independent,
//   I(F; Y) = E_F sum_y p(y|F) log p(y|F) - sum_y p(y) log p(y),   p(y|F) = E_R p(y | g(F, R)),
// in nats (O'Shaughnessy et al. 2020, eq. 2 and appendix D). It is estimated from `outer` draws of F with `inner`
// draws of R each: probabilities P (outer, inner, M), float32 or float64.
#pragma once

#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string_view>
#include <vector>

namespace whence::gce {

/// nested: every draw of F has its own draws of R (the published estimator).
/// crossed: all draws of F share the same `inner` draws of R, which cancels most of R's noise between them.
enum class Sampling { nested, crossed };

/// The plug-in value is biased: the inner mean's noise raises it, the outer mean's noise lowers it.
/// delta: subtracts the second-order (Miller-Madow-like) bias, from the draws' own variances, in closed form.
/// jackknife: leave-one-out over inner and outer draws.
enum class Correction { none, delta, jackknife };

/// Latents (outer * inner, dimensions), row a * inner + b = draw a of the factors with draw b of the rest, N(0, 1).
at::Tensor draw_latents(std::int64_t dimensions, const std::vector<std::int64_t>& factors, std::int64_t outer,
                        std::int64_t inner, Sampling sampling, at::Generator& generator);

/// I(F; Y) as a differentiable scalar of P (outer, inner, M). May be slightly negative after a correction.
at::Tensor mutual_information(const at::Tensor& probabilities, Sampling sampling, Correction correction);

/// I(F; Y | R) from crossed draws: the mean over R of the information between F and Y with R held. Differentiable.
at::Tensor conditional_information(const at::Tensor& probabilities, Correction correction);

struct FlowValue {
  double nats = 0;
  double se = 0;  ///< standard error: of resampling the outer draws (nested), outer and inner draws (crossed)
};

/// The estimate with its standard error, computed in float64.
FlowValue estimate_flow(const at::Tensor& probabilities, Sampling sampling, Correction correction);

std::string_view name_of(Sampling sampling);
std::string_view name_of(Correction correction);

}  // namespace whence::gce
