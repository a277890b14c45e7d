#include "whence/explain/attribution/mask_perturbation.h"

#include "explain/attribution/mask_search.h"
#include "whence/core/random.h"
#include "whence/platform/device.h"

namespace whence::attribution {
namespace {

using at::Tensor;

/// Some images of a request, what comes in their place, and their classes.
struct Images {
  const models::Classifier& classifier;
  Tensor x, baseline, target;
};

Images images_of(const Request& request, const Tensor& baseline, std::int64_t first, std::int64_t count) {
  return {request.classifier, request.x.narrow(0, first, count), baseline.narrow(0, first, count),
          request.target.narrow(0, first, count)};
}

std::int64_t cells_along(std::int64_t side, std::int64_t cell) {
  return std::max<std::int64_t>(1, (side + cell - 1) / cell);
}

Tensor enlarged(const Tensor& values, const Tensor& like) {
  return at::upsample_bilinear2d(values, like.sizes().slice(2), /*align_corners=*/false);
}

/// sum |difference of neighbours|^power, (N).
Tensor variation(const Tensor& values, double power) {
  const Tensor down = values.diff(1, 2), across = values.diff(1, 3);
  return down.abs().pow(power).sum({1, 2, 3}) + across.abs().pow(power).sum({1, 2, 3});
}

/// Moved by so many pixels, -jitter .. jitter; edges are repeated.
struct Shift {
  std::int64_t down = 0, right = 0;
};
Tensor shifted(const Tensor& images, const Shift& shift, std::int64_t jitter) {
  if (jitter == 0) return images;
  return at::replication_pad2d(images, {jitter, jitter, jitter, jitter})
      .narrow(2, jitter - shift.down, images.size(2))
      .narrow(3, jitter - shift.right, images.size(3));
}

/// `removed`: 1 - m, in cells.
Tensor cost_of(const Images& images, const MaskPerturbation& own, const Tensor& removed, const Shift& shift) {
  const Tensor left = images.x + enlarged(removed, images.x) * (images.baseline - images.x);
  const Tensor logits = images.classifier.logits(shifted(left, shift, own.jitter).contiguous());
  return of_target(logits, images.target, Score::probability) + own.area_weight * removed.flatten(1).mean(1) +
         own.variation_weight * variation(removed, own.variation_power);
}

/// The shifts of all steps, the same for all images.
std::vector<Shift> shifts_of(const Options& options, const MaskPerturbation& own) {
  Generator generator = make_generator(options.seed, "attribution/mask_perturbation");
  const Tensor drawn = at::randint(-own.jitter, own.jitter + 1, {own.iterations, 2}, generator,
                                   draws_of(generator, at::kLong));
  std::vector<Shift> shifts;
  for (std::int64_t step = 0; step < own.iterations; ++step)
    shifts.push_back({drawn[step][0].item<std::int64_t>(), drawn[step][1].item<std::int64_t>()});
  return shifts;
}

}  // namespace

at::Tensor mask_perturbation_cost(const Request& request, const Options& options, const at::Tensor& removed) {
  const at::NoGradGuard no_grad;
  const Images images = images_of(request, baseline_of(request, options, 0, "blur"), 0, request.x.size(0));
  return cost_of(images, options.of<MaskPerturbation>(), removed, {});
}

Attribution mask_perturbation(const Request& request, const Options& options) {
  const auto& own = options.of<MaskPerturbation>();
  const Tensor baseline = baseline_of(request, options, 0, "blur");
  const std::vector<Shift> shifts = shifts_of(options, own);
  return searched_masks(request, options, [&](std::int64_t first, std::int64_t count) {
    const Images images = images_of(request, baseline, first, count);
    const Tensor start =
        at::ones({count, 1, cells_along(images.x.size(2), own.cell), cells_along(images.x.size(3), own.cell)},
                 images.x.options());
    const Tensor removed =
        least_cost(start, own.iterations, own.learning_rate, [&](const Tensor& values, std::int64_t step) {
          return cost_of(images, own, values, shifts[static_cast<std::size_t>(step)]);
        });
    return enlarged(removed, images.x);
  });
}

}  // namespace whence::attribution
