#include "estimators/design.h"

namespace whence::bench {
namespace {

using enum flow::Sampling;
using enum flow::Placement;
using flow::Correction;
using Size = std::pair<std::int64_t, std::int64_t>;

constexpr Size kSmall[] = {{8, 2}, {16, 1}, {8, 4}, {16, 2}, {16, 4}, {32, 2}, {32, 4}};
constexpr Size kLarge[] = {{8, 2},  {16, 1}, {8, 4},  {16, 2}, {32, 1}, {16, 4},
                           {32, 2}, {16, 8}, {32, 4}, {64, 2}, {64, 4}};
constexpr Size kNested[] = {{8, 4}, {16, 2}, {16, 4}, {32, 2}, {16, 8}, {32, 4}, {64, 2}, {64, 4}};
constexpr Size kTwo[] = {{16, 2}, {32, 4}};
constexpr Size kPublished[] = {{25, 2}, {25, 4}, {25, 10}, {25, 100}};
constexpr std::int64_t kSingle[] = {16, 32, 64, 128, 256};

std::vector<Design> designs_of(const flow::Estimator& estimator, std::span<const Size> sizes) {
  std::vector<Design> designs;
  for (const auto& [outer, inner] : sizes) designs.push_back({estimator, outer, inner});
  return designs;
}

std::vector<Design> variational_designs(flow::Placement draws) {
  std::vector<Design> designs;
  for (const std::int64_t outer : kSingle)
    designs.push_back({{nested, draws, Correction::delta}, outer, 1, gce::Inference::variational});
  return designs;
}

std::vector<Size> sizes_of(std::int64_t inner, const std::vector<std::int64_t>& outer) {
  std::vector<Size> sizes;
  for (const std::int64_t count : outer) sizes.emplace_back(count, inner);
  return sizes;
}

}  // namespace

std::string Design::name() const {
  if (inference == gce::Inference::variational)
    return fmt::format("variational {} {}x{}", name_of(estimator.outer_draws), outer, inner);
  return fmt::format("{} {} {} {}x{}", name_of(estimator.sampling), name_of(estimator.outer_draws),
                     name_of(estimator.correction), outer, inner);
}

std::vector<Design> all_designs() {
  std::vector<Design> all;
  const auto add = [&](const std::vector<Design>& more) { all.insert(all.end(), more.begin(), more.end()); };
  add(designs_of({nested, independent, Correction::none}, kPublished));
  for (const flow::Sampling sampling : {nested, crossed})
    for (const Correction correction : {Correction::none, Correction::delta, Correction::jackknife})
      add(designs_of({sampling, independent, correction}, kTwo));
  add(designs_of({crossed, independent, Correction::delta}, sizes_of(4, {8, 16, 64})));
  add(designs_of({crossed, antithetic, Correction::delta}, kTwo));
  for (const Correction correction : {Correction::none, Correction::delta}) {
    add(designs_of({crossed, sobol, correction}, kSmall));
    add(designs_of({crossed, stratified, correction}, kLarge));
    add(designs_of({nested, stratified, correction}, kNested));
  }
  add(variational_designs(independent));
  add(variational_designs(stratified));
  return all;
}

std::vector<Family> families() {
  const std::vector<std::int64_t> four = {8, 16, 32, 64}, two = {8, 16, 32, 64};
  return {{"published: nested, independent, no correction, 25 alphas",
           designs_of({nested, independent, Correction::none}, std::span(kPublished).first(3))},
          {"nested, stratified, delta, 4 betas",
           designs_of({nested, stratified, Correction::delta}, sizes_of(4, four))},
          {"crossed, independent, delta, 4 betas",
           designs_of({crossed, independent, Correction::delta}, sizes_of(4, four))},
          {"crossed, stratified, delta, 4 betas",
           designs_of({crossed, stratified, Correction::delta}, sizes_of(4, four))},
          {"crossed, stratified, delta, 2 betas",
           designs_of({crossed, stratified, Correction::delta}, sizes_of(2, two))},
          {"variational, stratified", variational_designs(stratified)}};
}

}  // namespace whence::bench
