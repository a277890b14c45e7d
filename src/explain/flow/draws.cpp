#include "whence/explain/flow/draws.h"

#include <ranges>

#include "whence/core/error.h"
#include "whence/platform/device.h"

namespace whence::flow {
namespace {

using at::Tensor;

/// The cell of each draw on each axis, (count, axes), in reflected mixed-radix order: one step changes one index
/// by one.
Tensor cells(std::int64_t count, const std::vector<std::int64_t>& slices, const at::TensorOptions& options) {
  std::vector<Tensor> axes(slices.size());
  Tensor rest = at::arange(count, options.dtype(at::kLong));
  for (std::size_t axis = slices.size(); axis-- > 0;) {
    const Tensor digit = rest.remainder(slices[axis]);
    // The digits above the current one; each odd value of them reverses its direction.
    rest = rest.div(slices[axis], "floor");
    axes[axis] = at::where(rest.remainder(2).eq(0), digit, slices[axis] - 1 - digit);
  }
  return at::stack(axes, 1).to(at::kDouble);
}

/// The quantiles of N(0, 1) at uniform numbers in [0, 1), float32.
Tensor normal_at(const Tensor& uniform) {
  constexpr double edge = 0x1p-53;  // the quantile of 0 would be infinite
  return at::special_ndtri(uniform.clamp(edge, 1 - edge)).to(at::kFloat);
}

/// N(0, I), one draw from each of `count` cells of equal probability, (count, dimensions), float32.
Tensor stratified_normal(std::int64_t count, std::int64_t dimensions, at::Generator& generator) {
  const std::vector<std::int64_t> sizes = slices(count, dimensions);
  const at::TensorOptions options = draws_of(generator, at::kDouble);
  const Tensor within = at::rand({count, dimensions}, generator, options);
  return normal_at((cells(count, sizes, options) + within) / at::tensor(sizes, options));
}

/// N(0, I) at the first `count` points of a Sobol sequence with a random linear scrambling and digital shift
/// (Matousek 1998), (count, dimensions), float32.
Tensor sobol_normal(std::int64_t count, std::int64_t dimensions, at::Generator& generator) {
  constexpr std::int64_t bits = 30;  // of LibTorch's direction numbers
  const at::TensorOptions options = draws_of(generator, at::kLong);
  Tensor state = at::zeros({dimensions, bits}, options);
  at::_sobol_engine_initialize_state_(state, dimensions);
  const Tensor mixing = at::randint(0, 2, {dimensions, bits, bits}, generator, options).tril();
  at::_sobol_engine_scramble_(state, mixing, dimensions);
  const Tensor shift = at::randint(0, std::int64_t{1} << bits, {dimensions}, generator, options);
  const Tensor first = shift.to(at::kDouble).unsqueeze(0) * 0x1p-30;
  if (count == 1) return normal_at(first);
  const Tensor rest =
      std::get<0>(at::_sobol_engine_draw(shift.clone(), count - 1, state, dimensions, 0, at::kDouble));
  return normal_at(at::cat({first, rest}) + 0x1p-31);  // the middle of the cell of 2^-30
}

Tensor antithetic_normal(std::int64_t count, std::int64_t dimensions, at::Generator& generator) {
  if (count % 2 != 0 || count < 4)
    fail_usage("antithetic draws of the factors come in pairs, at least two of them: {} draws cannot be made",
               count);
  const Tensor half = at::randn({count / 2, 1, dimensions}, generator, draws_of(generator));
  return at::cat({half, -half}, 1).view({count, dimensions});
}

/// The draws of the factors, (outer, dimensions).
Tensor outer_normal(std::int64_t outer, std::int64_t dimensions, Placement draws, at::Generator& generator) {
  if (draws == Placement::independent || dimensions == 0)
    return at::randn({outer, dimensions}, generator, draws_of(generator));
  if (draws == Placement::antithetic) return antithetic_normal(outer, dimensions, generator);
  if (draws == Placement::stratified) return stratified_normal(outer, dimensions, generator);
  std::vector<Tensor> groups;
  const std::int64_t size = group_size(draws, outer);
  for (std::int64_t i = 0; i < outer; i += size) groups.push_back(sobol_normal(size, dimensions, generator));
  return at::cat(groups);
}

/// The dimensions that are no factors.
std::vector<std::int64_t> others(std::int64_t dimensions, const std::vector<std::int64_t>& factors) {
  std::vector<std::int64_t> rest;
  for (std::int64_t i = 0; i < dimensions; ++i)
    if (std::find(factors.begin(), factors.end(), i) == factors.end()) rest.push_back(i);
  TORCH_CHECK(rest.size() + factors.size() == static_cast<std::size_t>(dimensions),
              "factors must be distinct and in 0 .. ", dimensions - 1);
  return rest;
}

}  // namespace

std::int64_t group_size(Placement outer_draws, std::int64_t outer) {
  if (outer_draws == Placement::antithetic) return 2;
  if (outer_draws == Placement::independent) return 1;
  TORCH_CHECK(outer_draws == Placement::sobol, "stratified draws are one group");
  std::int64_t size = 1;
  while (outer % (2 * size) == 0 && outer / (2 * size) >= 8) size *= 2;
  return size;
}

std::vector<std::int64_t> slices(std::int64_t count, std::int64_t dimensions) {
  TORCH_CHECK(count >= 1 && dimensions >= 1, "nothing to cut into slices");
  std::vector<std::int64_t> primes;
  std::int64_t rest = count;
  for (std::int64_t p = 2; p * p <= rest; ++p)
    for (; rest % p == 0; rest /= p) primes.push_back(p);
  if (rest > 1) primes.push_back(rest);

  std::vector<std::int64_t> sizes(static_cast<std::size_t>(dimensions), 1);
  for (const std::int64_t prime : primes | std::views::reverse)
    *std::min_element(sizes.begin(), sizes.end()) *= prime;
  std::sort(sizes.rbegin(), sizes.rend());
  return sizes;
}

at::Tensor draw_latents(std::int64_t dimensions, const std::vector<std::int64_t>& factors, std::int64_t outer,
                        std::int64_t inner, Sampling sampling, Placement outer_draws,
                        at::Generator& generator) {
  TORCH_CHECK(dimensions >= 1 && outer >= 1 && inner >= 1, "no latents to draw");
  const std::vector<std::int64_t> rest = others(dimensions, factors);
  const std::int64_t own_rows = sampling == Sampling::nested ? outer : 1;
  const Tensor of_factors =
      outer_normal(outer, static_cast<std::int64_t>(factors.size()), outer_draws, generator);
  const Tensor of_rest =
      at::randn({own_rows, inner, static_cast<std::int64_t>(rest.size())}, generator, draws_of(generator));
  Tensor latents = of_rest.new_empty({outer, inner, dimensions});
  const at::TensorOptions numbers = of_rest.options().dtype(at::kLong);
  latents.index_copy_(2, at::tensor(factors, numbers), of_factors.unsqueeze(1).expand({-1, inner, -1}));
  latents.index_copy_(2, at::tensor(rest, numbers), of_rest.expand({outer, inner, -1}));
  return latents.view({outer * inner, dimensions});
}

at::Tensor latin_hypercube(std::int64_t count, std::int64_t dimensions, at::Generator& generator) {
  TORCH_CHECK(count >= 1 && dimensions >= 1, "no latents to draw");
  const at::TensorOptions options = draws_of(generator, at::kDouble);
  Tensor uniform = at::rand({count, dimensions}, generator, options);
  for (std::int64_t i = 0; i < dimensions; ++i)
    uniform.select(1, i) += at::randperm(count, generator, options);
  return normal_at(uniform / static_cast<double>(count));
}

at::Tensor recombine_latents(const at::Tensor& latents, const std::vector<std::int64_t>& factors,
                             std::int64_t inner, Sampling sampling) {
  TORCH_CHECK(latents.dim() == 2 && inner >= 1, "latents must be (images, dimensions), got ",
              latents.sizes());
  const std::int64_t images = latents.size(0), dimensions = latents.size(1);
  if (images <= inner)
    fail_usage("{} draws of the other factors for each image need more than {} images in a batch", inner,
               images);
  const std::vector<std::int64_t> rest = others(dimensions, factors);
  const at::TensorOptions numbers = latents.options().dtype(at::kLong);
  at::Tensor of_rest = at::arange(inner, numbers).expand({images, inner});
  if (sampling == Sampling::nested)
    of_rest = (of_rest + at::arange(1, images + 1, numbers).unsqueeze(1)).remainder(images);
  at::Tensor rows = latents.unsqueeze(1).repeat({1, inner, 1}).view({images * inner, dimensions});
  const at::Tensor index = at::tensor(rest, numbers);
  rows.index_copy_(1, index, latents.index_select(0, of_rest.reshape({-1})).index_select(1, index));
  return rows;
}

std::string_view name_of(Sampling sampling) { return sampling == Sampling::nested ? "nested" : "crossed"; }

std::string_view name_of(Placement outer_draws) {
  switch (outer_draws) {
    case Placement::independent:
      return "independent";
    case Placement::antithetic:
      return "antithetic";
    case Placement::sobol:
      return "sobol";
    case Placement::stratified:
      return "stratified";
  }
  return "";
}

}  // namespace whence::flow
