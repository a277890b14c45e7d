// What comes in the place of a region that is taken out.
#include "explain/attribution/regions.h"
#include "explain/attribution/removal.h"
#include "whence/core/error.h"
#include "whence/core/filters.h"
#include "whence/core/random.h"
#include "whence/explain/counterfactual/image_model.h"
#include "whence/platform/device.h"

namespace whence::attribution {
namespace {

using at::Tensor;

/// Deviation of the noise that is added to imputed pixels, so that their smoothness does not tell which are missing.
constexpr double kImputationNoise = 0.01;
/// Times that an image is reconstructed while what is missing is filled in.
constexpr int kRounds = 5;

/// The weighted sum of the eight neighbours; none lie beyond the border.
Tensor neighbours(const Tensor& u) {
  const std::int64_t height = u.size(2), width = u.size(3);
  const Tensor padded = at::constant_pad_nd(u, {1, 1, 1, 1});
  const auto weighed = [](const Tensor& values, std::int64_t dimension, std::int64_t size) {
    return values.narrow(dimension, 0, size) + 2 * values.narrow(dimension, 1, size) +
           values.narrow(dimension, 2, size);
  };
  return weighed(weighed(padded, 2, height), 3, width) / 12 - u / 3;
}

Tensor sums(const Tensor& values) { return values.sum({2, 3}, true); }

}  // namespace

at::Tensor linearly_imputed(const at::Tensor& x, const at::Tensor& missing) {
  const at::NoGradGuard no_grad;
  const Tensor image = x.to(at::kDouble), m = missing.to(at::kDouble).expand_as(image);
  const Tensor weight = neighbours(at::ones_like(image));
  const Tensor kept = 1 - m, count = sums(kept);
  const Tensor mean = at::where(count > 0, sums(kept * image) / count.clamp_min(1), image.mean({2, 3}, true));
  const auto system = [&](const Tensor& u) { return m * (weight * u - neighbours(m * u)); };
  const Tensor right = m * neighbours(kept * image), bound = (1e-16 * sums(right.square())).clamp_min(1e-20);
  Tensor u = m * mean, residual = right - system(u), way = residual, size = sums(residual.square());
  for (std::int64_t step = 0; step < 20 * (x.size(2) + x.size(3)); ++step) {
    if (!(size > bound).any().item<bool>()) break;
    const Tensor image_of_way = system(way), steepness = sums(way * image_of_way);
    const Tensor open = (size > bound).logical_and(steepness > 0);
    const Tensor rate = at::where(open, size / steepness.clamp_min(1e-300), at::zeros_like(size));
    u = u + rate * way;
    residual = residual - rate * image_of_way;
    const Tensor next = sums(residual.square());
    way = residual + at::where(open, next / size.clamp_min(1e-300), at::zeros_like(size)) * way;
    size = at::where(open, next, at::zeros_like(next));
  }
  return (kept * image + u).to(x.scalar_type());
}

Removal::Removal(const at::Tensor& x, const PerturbationOptions& options) : options_(options), x_(x) {
  switch (options.replacement) {
    case Replacement::constant:
      replacement_ = at::full_like(x, options.fill);
      return;
    case Replacement::mean:
      replacement_ = x.mean({2, 3}, true).expand_as(x);
      return;
    case Replacement::blur:
      replacement_ = gaussian_blur(x, static_cast<double>(side_of(x, options.patch)));
      return;
    case Replacement::generator:
      if (options.generator == nullptr)
        fail_usage(
            "replacement by a generator needs one; give a run that has one, or an encoder and a decoder");
      return;
    case Replacement::imputation: {
      Generator generator = make_generator(options.seed, "attribution/imputation");
      const Tensor normal = at::randn(x.sizes().slice(1), generator, draws_of(generator));
      noise_ = (kImputationNoise * normal).unsqueeze(0).to(x.options());
    }
  }
}

at::Tensor Removal::imputed(const at::Tensor& removed) const {
  return linearly_imputed(x_, removed) + noise_;
}

at::Tensor Removal::generated(const at::Tensor& removed) const {
  Tensor image = linearly_imputed(x_, removed);
  for (int round = 0; round < kRounds; ++round) {
    std::vector<Tensor> parts;
    for (std::int64_t first = 0; first < image.size(0); first += options_.batch) {
      const Tensor some = image.narrow(0, first, std::min(options_.batch, image.size(0) - first));
      parts.push_back(options_.generator->decoder.decode(options_.generator->encoder.encode(some).mean));
    }
    image = at::where(removed, at::cat(parts).to(x_.options()), x_);
  }
  return image;
}

at::Tensor Removal::without(const at::Tensor& removed) const {
  if (replacement_.defined()) return at::where(removed, replacement_, x_);
  if (!removed.any().item<bool>()) return x_;
  return at::where(removed, noise_.defined() ? imputed(removed) : generated(removed), x_);
}

}  // namespace whence::attribution
