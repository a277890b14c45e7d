#include "whence/explain/gce/draws.h"

namespace whence::gce {
namespace {

using at::Tensor;

/// The cell of each draw on each axis, (count, axes), in reflected mixed-radix order: one step changes one index
/// by one.
Tensor cells(std::int64_t count, const std::vector<std::int64_t>& slices) {
  const auto axes = static_cast<std::int64_t>(slices.size());
  Tensor cells = at::empty({count, axes}, at::kDouble);
  auto cell = cells.accessor<double, 2>();
  for (std::int64_t i = 0; i < count; ++i) {
    std::int64_t rest = i;  // the digits above the current one; each odd value of them reverses its direction
    for (std::int64_t axis = axes - 1; axis >= 0; --axis) {
      const std::int64_t size = slices[static_cast<std::size_t>(axis)];
      const std::int64_t digit = rest % size;
      rest /= size;
      cell[i][axis] = static_cast<double>(rest % 2 == 0 ? digit : size - 1 - digit);
    }
  }
  return cells;
}

/// N(0, I), one draw from each of `count` cells of equal probability, (count, dimensions), float32.
Tensor stratified_normal(std::int64_t count, std::int64_t dimensions, at::Generator& generator) {
  const std::vector<std::int64_t> sizes = slices(count, dimensions);
  const Tensor within = at::rand({count, dimensions}, generator, at::kDouble);
  const Tensor uniform = (cells(count, sizes) + within) / at::tensor(sizes, at::kDouble);
  constexpr double edge = 0x1p-53;  // the quantile of 0 would be infinite
  return at::special_ndtri(uniform.clamp(edge, 1 - edge)).to(at::kFloat);
}

}  // namespace

std::vector<std::int64_t> slices(std::int64_t count, std::int64_t dimensions) {
  TORCH_CHECK(count >= 1 && dimensions >= 1, "nothing to cut into slices");
  std::vector<std::int64_t> primes;
  std::int64_t rest = count;
  for (std::int64_t p = 2; p * p <= rest; ++p)
    for (; rest % p == 0; rest /= p) primes.push_back(p);
  if (rest > 1) primes.push_back(rest);

  std::vector<std::int64_t> sizes(static_cast<std::size_t>(dimensions), 1);
  for (auto prime = primes.rbegin(); prime != primes.rend(); ++prime)
    *std::min_element(sizes.begin(), sizes.end()) *= *prime;
  std::sort(sizes.rbegin(), sizes.rend());
  return sizes;
}

at::Tensor draw_latents(std::int64_t dimensions, const std::vector<std::int64_t>& factors, std::int64_t outer,
                        std::int64_t inner, Sampling sampling, OuterDraws outer_draws,
                        at::Generator& generator) {
  TORCH_CHECK(dimensions >= 1 && outer >= 1 && inner >= 1, "no latents to draw");
  std::vector<std::int64_t> rest;
  for (std::int64_t i = 0; i < dimensions; ++i)
    if (std::find(factors.begin(), factors.end(), i) == factors.end()) rest.push_back(i);
  TORCH_CHECK(rest.size() + factors.size() == static_cast<std::size_t>(dimensions),
              "factors must be distinct and in 0 .. ", dimensions - 1);

  const std::int64_t own_rows = sampling == Sampling::nested ? outer : 1;
  const auto factor_count = static_cast<std::int64_t>(factors.size());
  const bool stratified = outer_draws == OuterDraws::stratified && factor_count > 0;
  const Tensor of_factors = stratified ? stratified_normal(outer, factor_count, generator)
                                       : at::randn({outer, factor_count}, generator, at::kFloat);
  const Tensor of_rest =
      at::randn({own_rows, inner, static_cast<std::int64_t>(rest.size())}, generator, at::kFloat);
  Tensor latents = at::empty({outer, inner, dimensions}, at::kFloat);
  latents.index_copy_(2, at::tensor(factors, at::kLong), of_factors.unsqueeze(1).expand({-1, inner, -1}));
  latents.index_copy_(2, at::tensor(rest, at::kLong), of_rest.expand({outer, inner, -1}));
  return latents.view({outer * inner, dimensions});
}

std::string_view name_of(Sampling sampling) { return sampling == Sampling::nested ? "nested" : "crossed"; }

std::string_view name_of(OuterDraws outer_draws) {
  return outer_draws == OuterDraws::independent ? "independent" : "stratified";
}

}  // namespace whence::gce
