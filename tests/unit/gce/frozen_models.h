// Frozen generators and classifiers whose causes are known.
#pragma once

#include "whence/core/random.h"
#include "whence/models/roles.h"

namespace whence::gce {

using at::Tensor;

/// "Images" are the codes, seen through an orthogonal matrix.
class Turned final : public models::Decoder {
 public:
  explicit Turned(Tensor matrix) : matrix_(std::move(matrix)) {}
  Tensor decode(const Tensor& z) const override {
    return z.mm(matrix_.t()).view({-1, 1, 1, matrix_.size(0)});
  }
  std::int64_t latents() const override { return matrix_.size(1); }

 private:
  Tensor matrix_;
};

/// Sees some pixels: the sign of the first one, or whether a pixel is far from 0.
class Reads final : public models::Classifier {
 public:
  explicit Reads(bool even) : even_(even) {}
  Tensor logits(const Tensor& x) const override {
    const Tensor first = x.flatten(1).select(1, 0);
    const Tensor score = even_ ? 8 * (first.square() - 0.45) : 8 * first;
    return at::stack({-score, score}, 1);
  }
  std::int64_t classes() const override { return 2; }

 private:
  bool even_;
};

inline Tensor orthogonal(std::int64_t size, std::uint64_t seed) {
  Generator generator = make_generator(seed, "test");
  return std::get<0>(at::linalg_qr(at::randn({size, size}, generator)));
}

}  // namespace whence::gce
