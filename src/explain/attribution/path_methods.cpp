// The methods of the table that move along a generator's path.
#include <cmath>

#include "explain/attribution/moments.h"
#include "explain/attribution/passes.h"
#include "whence/explain/attribution/path_mask.h"

namespace whence::attribution {
namespace {

using at::Tensor;

/// Where the closed form is not good enough: Adam on J(m) less the L1 weight whose optimum the closed form is.
constexpr std::int64_t kIterations = 300;
constexpr double kRate = 0.05;

/// Of one morph.
struct Mask {
  Tensor masks, error;
};

/// By the closed form and, where its error is above the tolerance, by optimization.
Mask masks_along(const Request& request, const Options& options, const ImagePaths& paths) {
  const auto& own = options.of<PathMask>();
  const Tensor gradient =
      gradients_along(request.classifier, paths.images, paths.answers, Score::probability, options.batch)
          .sum(1, true);
  const ClosedForm closed = closed_form_masks(gradient, own.area, own.blur);
  const Tensor linear = (closed.masks * gradient).flatten(1).sum(1);
  const Tensor gain =
      mask_gains(request.classifier, paths.images, paths.answers, closed.masks, options.batch).sum(1);
  const Tensor error = ((linear - gain).abs() / gain.abs().clamp_min(1e-12)).to(at::kDouble);
  Tensor masks = closed.masks.clone();
  const Tensor wrong = error.gt(own.tolerance).logical_and(closed.thresholds.isfinite()).nonzero().squeeze(1);
  for (std::int64_t i = 0; i < wrong.size(0); ++i) {
    const std::int64_t row = wrong[i].item<std::int64_t>();
    const MaskOptimization how{kIterations, kRate,        own.blur,     closed.thresholds[row].item<double>(),
                               false,       options.seed, options.batch};
    masks[row].copy_(optimised_masks(request.classifier, paths.images.narrow(0, row, 1),
                                     paths.answers.narrow(0, row, 1), how)[0]);
  }
  return {masks, error};
}

Tensor error_of(const Moments& moments, std::int64_t morphs, const Tensor& like) {
  return morphs > 1 ? moments.standard_error().to(like.scalar_type()) : Tensor();
}

Tensor scores_at(const Request& request, const Options& options, const Tensor& images) {
  return scores_of(request.classifier, images, request.target, options.score, options.batch);
}

}  // namespace

Attribution path_integrated_gradients(const Request& request, const Options& options) {
  const std::int64_t morphs = options.of<ImagePath>().morphs;
  Moments values;
  Tensor gain = at::zeros({request.x.size(0)}, request.x.options().dtype(at::kDouble));
  for (std::int64_t morph = 0; morph < morphs; ++morph) {
    const ImagePaths paths = paths_of(request, options, morph);
    values.add(gradients_along(request.classifier, paths.images, request.target, options.score, options.batch)
                   .unsqueeze(0));
    const Tensor last = scores_at(request, options, paths.images.select(1, -1)),
                 first = scores_at(request, options, paths.images.select(1, 0));
    gain += (last - first).to(at::kDouble) / static_cast<double>(morphs);
  }
  const Tensor mean = values.mean();
  return {mean.to(request.x.scalar_type()), scores_at(request, options, request.x), excess(mean, gain),
          error_of(values, morphs, request.x)};
}

Attribution path_mask(const Request& request, const Options& options) {
  const std::int64_t morphs = options.of<ImagePath>().morphs;
  Moments masks;
  Tensor error = at::zeros({request.x.size(0)}, request.x.options().dtype(at::kDouble));
  for (std::int64_t morph = 0; morph < morphs; ++morph) {
    const Mask own = masks_along(request, options, paths_of(request, options, morph));
    masks.add(own.masks.unsqueeze(0));
    error += own.error / static_cast<double>(morphs);
  }
  return {masks.mean().to(request.x.scalar_type()),
          scores_at(request, options, request.x),
          {},
          error_of(masks, morphs, request.x),
          error};
}

}  // namespace whence::attribution
