// Measures of the maps themselves: do they stay under noise, change with the weights, and single pixels out?
#include "explain/attribution/judgements.h"
#include "whence/core/random.h"
#include "whence/platform/device.h"

namespace whence::attribution {
namespace {

/// Of the pixels' values, with their signs: by size alone, all maps that are multiplied by the image are alike where it is black.
at::Tensor sums_of(const at::Tensor& values) { return values.to(at::kDouble).sum(1).flatten(1); }

/// Sizes of the pixels' values, float64 (N, H W).
at::Tensor sizes_of(const at::Tensor& values) { return values.to(at::kDouble).abs().sum(1).flatten(1); }

/// Ranks, of equal values their mean, float64 (N, n): half of what is below plus half of what is not above.
at::Tensor mean_ranks(const at::Tensor& rows) {
  const at::Tensor sorted = std::get<0>(rows.sort(1)).contiguous(), values = rows.contiguous();
  const at::Tensor below = at::searchsorted(sorted, values),
                   not_above = at::searchsorted(sorted, values, false, /*right=*/true);
  return 0.5 * (below + not_above).to(at::kDouble);
}

/// Along the rows; 0 where one is constant.
at::Tensor spearman(const at::Tensor& a, const at::Tensor& b) {
  const at::Tensor ra = mean_ranks(a), rb = mean_ranks(b);
  const at::Tensor x = ra - ra.mean(1, true), y = rb - rb.mean(1, true);
  const at::Tensor size = (x.square().sum(1) * y.square().sum(1)).sqrt();
  return at::where(size > 0, (x * y).sum(1) / size.clamp_min(1e-300), at::zeros_like(size));
}

/// The method again, without the display of its first run.
at::Tensor again(const Judged& judged, const models::Classifier& classifier, const at::Tensor& x) {
  Options options = *judged.options;
  options.progress = {};
  return judged.method->run(classifier, x, judged.target, options).values;
}

}  // namespace

at::Tensor max_sensitivity(const Judged& judged, const PerturbationOptions& options) {
  if (judged.method == nullptr || options.noise_draws == 0) return {};
  const at::NoGradGuard no_grad;
  Generator generator = make_generator(options.seed, "attribution/noise");
  const at::Tensor own = judged.values.to(at::kDouble).flatten(1);
  at::Tensor largest = at::zeros({own.size(0)}, own.options());
  for (std::int64_t i = 0; i < options.noise_draws; ++i) {
    // The same noise for all images, so that an image's number does not depend on the images beside it.
    const at::Tensor noise =
        (2 * at::rand(judged.x.sizes().slice(1), generator, draws_of(generator)) - 1).to(judged.x.options()) *
        options.noise;
    const at::Tensor change =
        again(judged, judged.classifier, judged.x + noise).to(at::kDouble).flatten(1) - own;
    largest = at::maximum(largest, change.norm(2, 1));
    if (options.progress) options.progress({"noisy copies", i + 1, options.noise_draws, {}, "copies"});
  }
  const at::Tensor size = own.norm(2, 1);
  return at::where(size > 0, largest / size.clamp_min(1e-300), at::zeros_like(size));
}

at::Tensor randomization(const Judged& judged, const PerturbationOptions& options) {
  if (judged.method == nullptr || judged.classifier.network() == nullptr) return {};
  const at::NoGradGuard no_grad;
  nn::Network network = judged.classifier.network()->clone();
  Generator generator = make_generator(options.seed, "attribution/randomization");
  nn::initialise(network, {.keeps_size = true}, generator);
  const auto random = models::as_classifier(network, judged.classifier.precision());
  return spearman(sums_of(judged.values), sums_of(again(judged, *random, judged.x)));
}

at::Tensor sparseness(const Judged& judged, const PerturbationOptions&) {
  const at::Tensor sorted = std::get<0>(sizes_of(judged.values).sort(1));
  const std::int64_t n = sorted.size(1);
  const at::Tensor place = at::arange(1, n + 1, sorted.options());
  const at::Tensor sum = sorted.sum(1);
  const at::Tensor gini = (sorted * (2 * place - static_cast<double>(n) - 1)).sum(1) /
                          (sum.clamp_min(1e-300) * static_cast<double>(n));
  return at::where(sum > 0, gini, at::zeros_like(gini));
}

}  // namespace whence::attribution
