// Masks of paths: the closed form and the optimization.
#include "whence/explain/attribution/path_mask.h"

#include <torch/csrc/autograd/autograd.h>

#include <cmath>
#include <functional>
#include <limits>
#include <utility>

#include "explain/attribution/passes.h"
#include "whence/core/filters.h"
#include "whence/core/random.h"
#include "whence/nn/training/adam.h"
#include "whence/platform/device.h"
#include "whence/platform/interrupt.h"

namespace whence::attribution {
namespace {

using at::Tensor;

/// (1, 1, k, k), its sum 1, cut off at one deviation.
Tensor gaussian(double deviation, const at::TensorOptions& options) {
  const Tensor bell =
      gaussian_window(deviation, static_cast<std::int64_t>(std::ceil(deviation)), options.dtype(at::kDouble));
  return bell.outer(bell).to(options).unsqueeze(0).unsqueeze(0);
}

/// The largest ratios whose area fits, bool (N, P). ratio, area: (N, P); most: what all areas may sum to.
Tensor chosen(const Tensor& ratio, const Tensor& area, double most) {
  const Tensor order = ratio.argsort(1, /*descending=*/true);
  const Tensor fits = area.gather(1, order).to(at::kDouble).cumsum(1).le(most);
  return at::zeros_like(fits).scatter(1, order, fits).logical_and(ratio.gt(0));
}

/// Adam on the masks of some images.
class MaskSearch {
 public:
  MaskSearch(const models::Classifier& classifier, const Tensor& paths, const Tensor& target,
             const MaskOptimization& options)
      : classifier_(classifier), options_(options), kernel_(gaussian(options.blur, paths.options())) {
    const std::int64_t steps = paths.size(1) - 1;
    start_ = paths.narrow(1, 0, steps);
    way_ = paths.narrow(1, 1, steps) - start_;
    target_ = target;
    before_ = at::empty({paths.size(0), steps}, paths.options());
    in_steps([&](std::int64_t first, std::int64_t count) {
      before_.narrow(1, first, count).copy_(probabilities(start_.narrow(1, first, count)));
    });
  }

  OptimisedMasks run() {
    Generator generator = make_generator(options_.seed, "attribution/path_mask");
    const auto extents = start_.sizes();
    Tensor value = at::randn({1, 1, extents[3], extents[4]}, generator, draws_of(generator))
                       .to(start_.options())
                       .repeat({extents[0], 1, 1, 1});
    nn::AdamSearch adam(value);
    const Tensor losses = at::empty({extents[0], options_.iterations}, start_.options());
    for (std::int64_t step = 0; step < options_.iterations; ++step) {
      throw_if_interrupted();
      const auto [loss, gradient] = loss_at(value, step);
      losses.select(1, step).copy_(loss);
      value = adam.moved(value, gradient, options_.learning_rate);
    }
    return {mask_of(value), losses};
  }

 private:
  Tensor mask_of(const Tensor& value) const {
    return at::conv2d(value.sigmoid(), kernel_, {}, 1, kernel_.size(2) / 2);
  }

  /// Steps of all paths, as many at once as make a batch.
  void in_steps(const std::function<void(std::int64_t first, std::int64_t count)>& body) const {
    const std::int64_t steps = start_.size(1),
                       at_once = std::max<std::int64_t>(1, options_.batch / start_.size(0));
    for (std::int64_t first = 0; first < steps; first += at_once)
      body(first, std::min(at_once, steps - first));
  }

  /// Of the targets, for images (N, steps, C, H, W): (N, steps).
  Tensor probabilities(const Tensor& images) const {
    const std::int64_t steps = images.size(1);
    const Tensor target = target_.repeat_interleave(steps).unsqueeze(1);
    return classifier_.logits(images.flatten(0, 1)).softmax(1).gather(1, target).view({-1, steps});
  }

  /// The gain of a mask, (N), and its gradient.
  std::pair<Tensor, Tensor> gain_of(const Tensor& mask) const {
    Tensor gain = at::zeros({mask.size(0)}, mask.options()), gradient = at::zeros_like(mask);
    in_steps([&](std::int64_t first, std::int64_t count) {
      const at::AutoGradMode with_gradients(true);
      const Tensor own = mask.detach().clone().requires_grad_();
      const auto of = [&](const Tensor& all) { return all.narrow(1, first, count); };
      const Tensor rise = (probabilities(of(start_) + own.unsqueeze(1) * of(way_)) - of(before_)).sum(1);
      const Tensor part = torch::autograd::grad({rise.sum()}, {own}).front();
      const at::NoGradGuard no_grad;
      gain += rise;
      gradient += part;
    });
    return {gain, gradient};
  }

  /// The objective, (N), and its gradient.
  std::pair<Tensor, Tensor> loss_at(const Tensor& value, std::int64_t step) {
    const at::AutoGradMode with_gradients(true);
    const Tensor own = value.detach().clone().requires_grad_();
    const Tensor mask = mask_of(own);
    const auto [gain, rise] = gain_of(mask.detach());
    const Tensor size = mask.detach().flatten(1).sum(1);
    Tensor weight = at::full_like(gain, options_.weight);
    if (options_.normalised) {
      const double share = 1 / static_cast<double>(step + 1);
      const auto add = [&](Tensor& to, const Tensor& term) {
        to = to.defined() ? to + share * (term.abs() - to) : term.abs();
      };
      add(gain_mean_, gain);
      add(size_mean_, size);
      weight = weight * gain_mean_ / size_mean_;
    }
    return {weight * size - gain,
            torch::autograd::grad({(mask * (weight.view({-1, 1, 1, 1}) - rise)).sum()}, {own}).front()};
  }

  const models::Classifier& classifier_;
  const MaskOptimization& options_;
  Tensor kernel_, start_, way_, target_, before_;
  Tensor gain_mean_, size_mean_;
};

}  // namespace

at::Tensor blurred(const at::Tensor& maps, double deviation) {
  const Tensor kernel = gaussian(deviation, maps.options());
  return at::conv2d(maps, kernel, {}, 1, kernel.size(2) / 2);
}

ClosedForm closed_form_masks(const at::Tensor& gradients, double area, double blur) {
  TORCH_CHECK(gradients.dim() == 4 && gradients.size(1) == 1, "gradients must be (N, 1, H, W), got ",
              gradients.sizes());
  const Tensor price = blurred(at::ones_like(gradients), blur).flatten(1);
  const Tensor ratio = blurred(gradients, blur).flatten(1) / price;
  const double most = area * static_cast<double>(price.size(1));
  const Tensor taken = chosen(ratio, price, most);
  const Tensor least = ratio.masked_fill(taken.logical_not(), std::numeric_limits<float>::infinity()).amin(1);
  return {blurred(taken.to(gradients.scalar_type()).view(gradients.sizes()), blur), least};
}

OptimisedMasks optimised_masks(const models::Classifier& classifier, const at::Tensor& paths,
                               const at::Tensor& target, const MaskOptimization& options) {
  const at::NoGradGuard no_grad;
  const Tensor masks = at::empty({paths.size(0), 1, paths.size(3), paths.size(4)}, paths.options()),
               losses = at::empty({paths.size(0), options.iterations}, paths.options());
  const std::int64_t at_once =
      std::max<std::int64_t>(1, options.batch / std::max<std::int64_t>(1, paths.size(1) - 1));
  in_passes(classifier, paths.size(0), at_once, [&](std::int64_t first, std::int64_t count) {
    const OptimisedMasks own =
        MaskSearch(classifier, paths.narrow(0, first, count), target.narrow(0, first, count), options).run();
    masks.narrow(0, first, count).copy_(own.masks);
    losses.narrow(0, first, count).copy_(own.losses);
  });
  return {masks, losses};
}

}  // namespace whence::attribution
