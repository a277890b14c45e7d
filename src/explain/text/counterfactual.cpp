#include "whence/explain/text/counterfactual.h"

#include <cmath>
#include <numbers>

#include "whence/core/error.h"
#include "whence/core/random.h"
#include "whence/explain/text/decoding.h"
#include "whence/platform/interrupt.h"

namespace whence::text {
namespace {

using Alpha = std::vector<double>;

constexpr std::size_t kTriedAtOnce = 512;  ///< texts, in whole shells

double length_of(const Alpha& alpha) {
  double length = 0;
  for (const double value : alpha) length = std::hypot(length, value);
  return length;
}

/// Unit vectors, each beside its opposite.
std::vector<Alpha> directions_of(std::int64_t causal, std::int64_t asked) {
  if (causal == 1) return {{-1}, {1}};
  std::vector<Alpha> all;
  const std::int64_t rays = asked > 0 ? asked : causal == 2 ? 32 : 16 * causal;
  if (causal == 2) {
    for (std::int64_t i = 0; i < rays; ++i) {
      const double angle = 2 * std::numbers::pi * static_cast<double>(i) / static_cast<double>(rays);
      all.push_back({std::cos(angle), std::sin(angle)});
    }
    return all;
  }
  Generator generator = make_generator(0, "text/counterfactual/rays");
  const auto dimensions = static_cast<std::size_t>(causal);
  for (std::int64_t i = 0; i < std::max(rays / 2, causal); ++i) {
    Alpha ray(dimensions, 0);
    if (i < causal) {
      ray[static_cast<std::size_t>(i)] = 1;
    } else {
      const at::Tensor drawn = at::randn({causal}, generator, at::TensorOptions(at::kCPU).dtype(at::kDouble));
      for (std::size_t k = 0; k < dimensions; ++k)
        ray[k] = drawn[static_cast<std::int64_t>(k)].item<double>();
      const double length = length_of(ray);
      for (double& value : ray) value /= length;
    }
    for (const double sign : {1.0, -1.0}) {
      all.push_back(ray);
      for (double& value : all.back()) value *= sign;
    }
  }
  return all;
}

void check(const ChangeSearch& search) {
  if (!(search.radius >= 0)) fail_usage("the radius is {}, but must be 0 or more", search.radius);
  if (!(search.step > 0)) fail_usage("the step is {}, but must be above 0", search.step);
  if (search.rays < 0) fail_usage("there are {} rays, but there must be 0 or more", search.rays);
  if (!(search.probability >= 0 && search.probability < 1))
    fail_usage("the probability is {}, but must be from 0 to below 1", search.probability);
}

/// The alphas of one search, in the order in which they are tried.
class Trials {
 public:
  Trials(Alpha own, std::int64_t causal, const ChangeSearch& search)
      : own_(std::move(own)),
        search_(search),
        directions_(directions_of(causal, search.rays)),
        farthest_(length_of(own_) + search.radius) {}

  /// The next whole shells, at least `kTriedAtOnce` together where there are so many; empty: that was all.
  std::vector<Alpha> next() {
    std::vector<Alpha> some;
    if (shell_ == 0) some.push_back(own_);
    while (some.size() < kTriedAtOnce && search_.step * static_cast<double>(shell_ + 1) <= farthest_) {
      const double distance = search_.step * static_cast<double>(++shell_);
      for (const Alpha& direction : directions_) {
        Alpha alpha = own_;
        for (std::size_t k = 0; k < alpha.size(); ++k) alpha[k] += distance * direction[k];
        if (length_of(alpha) <= search_.radius) some.push_back(std::move(alpha));
      }
    }
    return some;
  }

 private:
  Alpha own_;
  const ChangeSearch& search_;
  std::vector<Alpha> directions_;
  double farthest_;
  std::int64_t shell_ = 0;
};

at::Tensor codes_at(const at::Tensor& z, const std::vector<Alpha>& alphas) {
  at::Tensor codes = z.repeat({std::ssize(alphas), 1});
  std::vector<float> values;
  for (const Alpha& alpha : alphas)
    for (const double value : alpha) values.push_back(static_cast<float>(value));
  const auto causal = static_cast<std::int64_t>(alphas.front().size());
  codes.narrow(1, 0, causal).copy_(at::tensor(values, z.options().requires_grad(false)).view({-1, causal}));
  return codes;
}

}  // namespace

std::optional<NearestChange> nearest_change(
    const models::SentenceVae& vae, const at::Tensor& z, std::int64_t longest,
    const std::function<at::Tensor(const at::Tensor& numbers)>& answers, const ChangeSearch& search) {
  check(search);
  const at::NoGradGuard no_gradients;
  const std::int64_t causal = vae.shape().causal;
  Alpha own;
  for (std::int64_t k = 0; k < causal; ++k) own.push_back(z[0][k].item<double>());
  Trials trials(own, causal, search);
  at::Tensor before;  // the answer to the text of z, int64 scalar
  for (std::vector<Alpha> alphas = trials.next(); !alphas.empty(); alphas = trials.next()) {
    throw_if_interrupted();
    const at::Tensor texts = decode_greedily(vae, codes_at(z, alphas), longest), p = answers(texts);
    const auto [largest, classes] = p.max(1);
    if (!before.defined()) before = classes[0];
    at::Tensor asked = search.to ? classes.eq(*search.to) : classes.ne(before);
    if (search.probability > 0) asked = asked.logical_and(largest.ge(search.probability));
    const at::Tensor rows = asked.nonzero();
    if (rows.size(0) == 0) continue;
    const std::int64_t row = rows[0][0].item<std::int64_t>();
    NearestChange change{std::move(alphas[static_cast<std::size_t>(row)]), 0, texts[row], p[row]};
    for (std::size_t k = 0; k < own.size(); ++k)
      change.distance = std::hypot(change.distance, change.alpha[k] - own[k]);
    return change;
  }
  return std::nullopt;
}

}  // namespace whence::text
