// Models whose images are their codes, and classifiers that are any function of the code.
#pragma once

#include <ATen/ATen.h>

#include <functional>
#include <utility>

#include "whence/core/random.h"
#include "whence/models/roles.h"

namespace whence::counterfactual {

/// The image is the code itself.
class Identity final : public models::Decoder, public models::Encoder {
 public:
  explicit Identity(std::int64_t latents) : latents_(latents) {}
  at::Tensor decode(const at::Tensor& z) const override { return z.view({-1, 1, 1, latents_}); }
  models::Posterior encode(const at::Tensor& x) const override {
    return {x.flatten(1), at::zeros({x.size(0), latents_})};
  }
  std::int64_t latents() const override { return latents_; }

 private:
  std::int64_t latents_;
};

/// Logits that are a function of the code.
class OfCode final : public models::Classifier {
 public:
  using Function = std::function<at::Tensor(const at::Tensor& z)>;
  OfCode(std::int64_t classes, Function function) : classes_(classes), function_(std::move(function)) {}
  at::Tensor logits(const at::Tensor& x) const override { return function_(x.flatten(1)); }
  std::int64_t classes() const override { return classes_; }

 private:
  std::int64_t classes_;
  Function function_;
};

inline at::Tensor normal_codes(std::int64_t count, std::int64_t latents) {
  Generator generator = make_generator(11, "test/codes");
  return at::randn({count, latents}, generator, at::kFloat);
}

inline double largest(const at::Tensor& values) { return values.abs().max().item<double>(); }

}  // namespace whence::counterfactual
