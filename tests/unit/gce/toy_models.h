// Three latents, three pixels, two classes: every sweep, ablation and flow has a known answer.
#pragma once

#include <ATen/ATen.h>

#include <functional>

#include "whence/models/roles.h"

namespace whence::toy {

/// Pixel i of the image (1, 1, 3) shows latent i: x = (z + 4) / 8.
class Decoder final : public models::Decoder {
 public:
  at::Tensor decode(const at::Tensor& z) const override { return ((z + 4) / 8).view({-1, 1, 1, 3}); }
  std::int64_t latents() const override { return 3; }
};

/// The exact inverse, except that latent 0 comes back with the wrong sign where pixel 2 is bright.
class Encoder final : public models::Encoder {
 public:
  explicit Encoder(double log_variance, bool flips = false) : log_variance_(log_variance), flips_(flips) {}
  models::Posterior encode(const at::Tensor& x) const override {
    at::Tensor mean = 8 * x.flatten(1) - 4;
    if (flips_) mean.select(1, 0).mul_(at::where(mean.select(1, 2) > 0, -1.0, 1.0));
    return {mean, at::full_like(mean, log_variance_)};
  }
  std::int64_t latents() const override { return 3; }

 private:
  double log_variance_;
  bool flips_;
};

/// Any function of the images.
class Classifier final : public models::Classifier {
 public:
  using Function = std::function<at::Tensor(const at::Tensor&)>;
  explicit Classifier(Function logits) : logits_(std::move(logits)) {}
  at::Tensor logits(const at::Tensor& x) const override { return logits_(x); }
  std::int64_t classes() const override { return 2; }

 private:
  Function logits_;
};

/// Class 1 when pixel 0 is above one half: p(y = 1) = sigmoid(slope * latent 0).
inline Classifier first_pixel(double slope = 800) {
  return Classifier([slope](const at::Tensor& x) {
    const at::Tensor score = slope * (8 * x.flatten(1).select(1, 0) - 4);
    return at::stack({at::zeros_like(score), score}, 1);
  });
}

}  // namespace whence::toy
