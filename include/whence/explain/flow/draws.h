// Draws of latent factors behind an estimate of the information flow.
#pragma once

#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string_view>
#include <vector>

namespace whence::flow {

/// nested: every draw of the factors F has its own draws of the rest R (the published estimator).
/// crossed: all draws of F share the same `inner` draws of R, which cancels most of R's noise between them.
enum class Sampling { nested, crossed };

/// How draws are spread. Each draw alone is N(0, I) in every case: means over them are unbiased.
/// independent: nothing binds them (as published).
/// antithetic: pairs a, -a (Hammersley and Morton 1956); cancels what is odd in F.
/// sobol: groups of points of a scrambled Sobol sequence (Owen 1998), each group scrambled by itself.
/// stratified: N(0, I) is cut into as many cells of equal probability as there are draws, and each cell gives one
/// (Cochran 1977, Sampling Techniques, chapter 5); much less noisy for one to three factors.
enum class Placement { independent, antithetic, sobol, stratified };

/// How many successive draws of F belong together; groups are independent of each other. antithetic: 2. sobol: the
/// largest power of two that leaves at least eight groups. Not defined for stratified draws, which are one group.
std::int64_t group_size(Placement outer_draws, std::int64_t outer);

/// Draws lie beside their generator, on the processor; who uses them elsewhere moves them.
///
/// Latents (outer * inner, dimensions), row a * inner + b = draw a of the factors with draw b of the rest, N(0, I).
/// Stratified draws come in an order in which neighbours lie in neighbouring cells, so that their differences tell
/// the noise that is left. Error (usage): an odd number of antithetic draws or fewer than 4.
at::Tensor draw_latents(std::int64_t dimensions, const std::vector<std::int64_t>& factors, std::int64_t outer,
                        std::int64_t inner, Sampling sampling, Placement outer_draws,
                        at::Generator& generator);

/// N(0, I) as a Latin hypercube (McKay, Beckman and Conover 1979): on each axis every one of `count` cells of equal
/// probability gets one draw; otherwise the axes are independent. (count, dimensions), float32.
at::Tensor latin_hypercube(std::int64_t count, std::int64_t dimensions, at::Generator& generator);

/// Latents of images (images, dimensions), recombined: row a * inner + b has the factors of image a and the rest,
/// (images * inner, dimensions), nested: of image a + 1 + b, counted round, which is another; crossed: of image b, for
/// every a, its own among them. Error (usage): not more images than `inner`.
at::Tensor recombine_latents(const at::Tensor& latents, const std::vector<std::int64_t>& factors,
                             std::int64_t inner, Sampling sampling);

/// How many slices each of `dimensions` axes gets when `count` cells are cut: their product is `count`, and they are
/// as equal as its prime factors allow, larger ones first.
std::vector<std::int64_t> slices(std::int64_t count, std::int64_t dimensions);

std::string_view name_of(Sampling sampling);
std::string_view name_of(Placement outer_draws);

}  // namespace whence::flow
