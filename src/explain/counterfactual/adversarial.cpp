#include "whence/explain/counterfactual/adversarial.h"

#include <torch/csrc/autograd/autograd.h>

#include <chrono>
#include <numbers>

#include "explain/flow/classify.h"
#include "whence/explain/counterfactual/morphing.h"
#include "whence/platform/interrupt.h"

namespace whence::counterfactual {
namespace {

using at::Tensor;

/// Step by radius: 10 steps can cross the ball twice.
constexpr double kStep = 0.25;

Tensor of_images(const Tensor& rows) { return rows.view({-1, 1, 1, 1}); }
Tensor lengths(const Tensor& x) { return of_images(x.flatten(1).norm(2, 1).clamp_min(1e-12)); }

/// The images on the way; `finished` of them leave.
class Ascent {
 public:
  Ascent(const models::Classifier& classifier, const Tensor& images, const Tensor& from, const Tensor& to,
         const AdversarialOptions& options)
      : classifier_(classifier), options_(options), images_(images), from_(from), to_(to) {}

  AdversarialChanges run() {
    AdversarialChanges result{images_.clone(), at::zeros({images_.size(0)}, from_.options().dtype(at::kBool)),
                              at::zeros_like(from_), 0};
    open_ = at::arange(images_.size(0), from_.options());
    change_ = at::zeros_like(images_);
    std::int64_t step = 0;
    for (double radius = options_.least; radius <= options_.most && open_.size(0) > 0;
         radius *= std::numbers::sqrt2)
      for (std::int64_t i = 0; i < options_.steps && open_.size(0) > 0; ++i) climb(radius, ++step, result);
    return result;
  }

 private:
  void climb(double radius, std::int64_t step, AdversarialChanges& result) {
    throw_if_interrupted();
    const Tensor own = images_.index_select(0, open_), to = to_.index_select(0, open_);
    Tensor gradient;
    {
      const at::AutoGradMode with_gradients(true);
      const Tensor x = (own + change_).detach().requires_grad_();
      gradient = torch::autograd::grad({lead_of(classifier_.logits(x), to).sum()}, {x}).front();
    }
    const double values = static_cast<double>(own[0].numel());
    if (options_.ball == Ball::linf) {
      change_ = (change_ + kStep * radius * gradient.sign()).clamp(-radius, radius);
    } else {
      const double whole = radius * std::sqrt(values);
      change_ = change_ + kStep * whole * gradient / lengths(gradient);
      change_ = change_ * (whole / lengths(change_)).clamp_max(1);
    }
    const Tensor after = (own + change_).clamp(0, 1);
    change_ = after - own;
    const Tensor finished =
        is_finished(classifier_.logits(after), from_.index_select(0, open_), to, options_.entropy);
    result.images.index_copy_(0, open_, after);
    result.found.index_copy_(0, open_, finished);
    result.steps.index_fill_(0, open_, step);
    const Tensor stay = finished.logical_not().nonzero().squeeze(1);
    if (stay.size(0) == open_.size(0)) return;
    open_ = open_.index_select(0, stay);
    change_ = change_.index_select(0, stay);
  }

  const models::Classifier& classifier_;
  const AdversarialOptions& options_;
  Tensor images_, from_, to_;
  Tensor open_, change_;
};

}  // namespace

std::string_view name_of(Ball ball) { return ball == Ball::l2 ? "L2" : "L-infinity"; }

AdversarialChanges change_pixels(const models::Classifier& classifier, const at::Tensor& images,
                                 const at::Tensor& from, const at::Tensor& to,
                                 const AdversarialOptions& options, const ProgressCallback& progress) {
  TORCH_CHECK(images.dim() == 4 && from.size(0) == images.size(0) && to.size(0) == images.size(0),
              "one class each for the images (n, C, H, W), got ", images.sizes());
  const at::NoGradGuard no_grad;
  const auto begun = std::chrono::steady_clock::now();
  std::vector<Tensor> changed, found, steps;
  flow::for_batches(images.size(0), options.batch, [&](std::int64_t first, std::int64_t count) {
    const auto rows = [&](const Tensor& x) { return x.narrow(0, first, count); };
    const AdversarialChanges own = Ascent(classifier, rows(images), rows(from), rows(to), options).run();
    changed.push_back(own.images);
    found.push_back(own.found);
    steps.push_back(own.steps);
    if (progress)
      progress({.stage = "adversarial",
                .step = first + count,
                .total = images.size(0),
                .values = {},
                .unit = "images"});
  });
  return {at::cat(changed), at::cat(found), at::cat(steps),
          std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count()};
}

}  // namespace whence::counterfactual
