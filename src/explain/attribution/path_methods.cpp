// The methods of the table that move along a generator's path.
#include <cmath>

#include "explain/attribution/feature_maps.h"
#include "explain/attribution/moments.h"
#include "explain/attribution/passes.h"
#include "explain/attribution/path_layer.h"
#include "whence/core/error.h"
#include "whence/core/names.h"
#include "whence/explain/attribution/path_mask.h"

namespace whence::attribution {
namespace {

using at::Tensor;

/// Where the closed form is not good enough: Adam on J(m) less the L1 weight whose optimum the closed form is.
constexpr std::int64_t kIterations = 300;
constexpr double kRate = 0.05;

constexpr std::string_view kSolvers[] = {"closed", "published"};

bool is_published(const PathMask& own) {
  if (std::find(std::begin(kSolvers), std::end(kSolvers), own.solver) == std::end(kSolvers))
    fail_usage("path_mask_solver is '{}'{}, but must be closed or published", own.solver,
               did_you_mean(own.solver, kSolvers));
  return own.solver == "published";
}

PathMasks published_masks(const models::Classifier& classifier, const ImagePaths& paths,
                          const Options& options) {
  const auto& own = options.of<PathMask>();
  const OptimisedMasks found = optimised_masks(
      classifier, paths.images, paths.answers,
      {own.iterations, own.rate, own.blur, own.weight, /*normalised=*/true, options.seed, options.batch});
  return {found.masks, {}, found.losses};
}

/// |linear gain - gain| / |gain|, float64 (N).
Tensor error_of_linear(const Tensor& linear, const Tensor& gain) {
  return ((linear - gain).abs() / gain.abs().clamp_min(1e-12)).to(at::kDouble);
}

/// By the closed form, over the places of a layer.
PathMasks layer_masks(const models::Classifier& classifier, const ImagePaths& paths, const Options& options) {
  const auto& own = options.of<PathMask>();
  if (classifier.network() == nullptr)
    fail("path_mask_layer needs the classifier's layers, which are unknown: {}",
         classifier.why_opaque().empty() ? "it is known as a function only" : classifier.why_opaque());
  const nn::LayerId layer = feature_maps_of(*classifier.network(), own.layer, "a path mask");
  const Tensor gradient = layer_gradients_along(classifier, layer, paths.images, paths.answers,
                                                Score::probability, options.batch);
  const Tensor masks = closed_form_masks(gradient, own.area, own.blur).masks;
  const Tensor linear = (masks * gradient).flatten(1).sum(1);
  const Tensor gain =
      layer_mask_gains(classifier, layer, paths.images, paths.answers, masks, options.batch).sum(1);
  return {at::upsample_bilinear2d(masks, paths.images.sizes().slice(3), /*align_corners=*/false),
          error_of_linear(linear, gain),
          {}};
}

/// By the closed form and, where its error is above the tolerance, by optimization.
PathMasks closed_masks(const models::Classifier& classifier, const ImagePaths& paths,
                       const Options& options) {
  const auto& own = options.of<PathMask>();
  const Tensor gradient =
      gradients_along(classifier, paths.images, paths.answers, Score::probability, options.batch)
          .sum(1, true);
  const ClosedForm closed = closed_form_masks(gradient, own.area, own.blur);
  const Tensor linear = (closed.masks * gradient).flatten(1).sum(1);
  const Tensor gain = mask_gains(classifier, paths.images, paths.answers, closed.masks, options.batch).sum(1);
  const Tensor error = error_of_linear(linear, gain);
  Tensor masks = closed.masks.clone();
  const Tensor wrong = error.gt(own.tolerance).logical_and(closed.thresholds.isfinite()).nonzero().squeeze(1);
  for (std::int64_t i = 0; i < wrong.size(0); ++i) {
    const std::int64_t row = wrong[i].item<std::int64_t>();
    const MaskOptimization how{kIterations, kRate,        own.blur,     closed.thresholds[row].item<double>(),
                               false,       options.seed, options.batch};
    masks[row].copy_(
        optimised_masks(classifier, paths.images.narrow(0, row, 1), paths.answers.narrow(0, row, 1), how)
            .masks[0]);
  }
  return {masks, error, {}};
}

Tensor error_of(const Moments& moments, std::int64_t morphs, const Tensor& like) {
  return morphs > 1 ? moments.standard_error().to(like.scalar_type()) : Tensor();
}

Tensor scores_at(const Request& request, const Options& options, const Tensor& images) {
  return scores_of(request.classifier, images, request.target, options.score, options.batch);
}

}  // namespace

PathMasks masks_of_paths(const models::Classifier& classifier, const ImagePaths& paths,
                         const Options& options) {
  const auto& own = options.of<PathMask>();
  const bool published = is_published(own);
  if (published && !own.layer.empty())
    fail_usage("path_mask_layer goes with the closed form; leave out path_mask_solver, or the layer");
  if (published) return published_masks(classifier, paths, options);
  return own.layer.empty() ? closed_masks(classifier, paths, options)
                           : layer_masks(classifier, paths, options);
}

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
  Tensor error;
  for (std::int64_t morph = 0; morph < morphs; ++morph) {
    const PathMasks own = masks_of_paths(request.classifier, paths_of(request, options, morph), options);
    masks.add(own.masks.unsqueeze(0));
    if (!own.approximation_error.defined()) continue;
    const Tensor share = own.approximation_error / static_cast<double>(morphs);
    error = error.defined() ? error + share : share;
  }
  return {masks.mean().to(request.x.scalar_type()),
          scores_at(request, options, request.x),
          {},
          error_of(masks, morphs, request.x),
          error};
}

}  // namespace whence::attribution
