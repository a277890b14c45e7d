#include "whence/explain/attribution/extremal_perturbation.h"

#include <cmath>

#include "explain/attribution/mask_search.h"

namespace whence::attribution {
namespace {

using at::Tensor;

/// Of the smooth maximum.
constexpr double kTemperature = 0.05;

/// Masks from values at cells: the smooth maximum, around each cell, of a bell times the values.
class SmoothMasks {
 public:
  SmoothMasks(const Tensor& x, double smoothness) : height_(x.size(2)), width_(x.size(3)) {
    const double deviation = smoothness * static_cast<double>(std::min(height_, width_));
    const auto cell = std::max<std::int64_t>(1, std::llround(deviation / 1.5));
    down_ = (height_ + cell - 1) / cell;
    across_ = (width_ + cell - 1) / cell;
    const double in_cells = deviation / static_cast<double>(cell);
    radius_ = std::max<std::int64_t>(1, static_cast<std::int64_t>(std::ceil(2 * in_cells)));
    const Tensor place = at::arange(-radius_, radius_ + 1, x.options()).square();
    const Tensor distance = (place.unsqueeze(1) + place).sqrt() / in_cells;
    kernel_ = (-2 * (distance - 0.5).clamp_min(0).square()).exp().view({1, -1, 1});
  }

  Tensor start(std::int64_t count) const {
    return at::full({count, 1, down_, across_}, 0.5, kernel_.options());
  }

  Tensor operator()(const Tensor& values) const {
    const std::int64_t side = 2 * radius_ + 1;
    const Tensor around = at::im2col(values, {side, side}, {1, 1}, {radius_, radius_}, {1, 1}) * kernel_;
    const Tensor largest = (around * (around / kTemperature).softmax(1)).sum(1);
    return at::upsample_bilinear2d(largest.view({-1, 1, down_, across_}), {height_, width_},
                                   /*align_corners=*/false);
  }

 private:
  std::int64_t height_, width_, down_ = 0, across_ = 0, radius_ = 0;
  Tensor kernel_;
};

/// Sorted values of a mask with this area, (pixels).
Tensor sorted_mask(const Tensor& x, double area) {
  const std::int64_t pixels = x.size(2) * x.size(3);
  const Tensor place = at::arange(pixels, x.options());
  return (place >= (1 - area) * static_cast<double>(pixels)).to(x.scalar_type());
}

}  // namespace

Attribution extremal_perturbation(const Request& request, const Options& options) {
  const auto& own = options.of<ExtremalPerturbation>();
  const Tensor baseline = baseline_of(request, options, 0, "blur");
  const SmoothMasks masks(request.x, own.smoothness);
  const Tensor wanted = sorted_mask(request.x, own.area);
  const Tensor ends = changed_scores(request, at::stack({request.x, baseline}), options);
  const Tensor range = (ends[0] - ends[1]).abs().clamp_min(1e-6);
  return searched_masks(request, options, [&](std::int64_t first, std::int64_t count) {
    const Tensor x = request.x.narrow(0, first, count), from = baseline.narrow(0, first, count),
                 target = request.target.narrow(0, first, count), unit = range.narrow(0, first, count);
    const MaskCost cost = [&](const Tensor& values, std::int64_t step) {
      const Tensor mask = masks(values);
      const Tensor scores =
          of_target(request.classifier.logits(from + mask * (x - from)), target, options.score);
      const Tensor distance = (std::get<0>(mask.flatten(1).sort(1)) - wanted).square().mean(1);
      const double part = static_cast<double>(step) / static_cast<double>(own.iterations);
      return std::pow(own.area_weight, part) * distance - scores / unit;
    };
    return masks(least_cost(masks.start(count), own.iterations, own.learning_rate, cost));
  });
}

}  // namespace whence::attribution
