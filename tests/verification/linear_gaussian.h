// A generator and classifiers whose information flow is known by Gauss-Hermite quadrature: x = W z, z ~ N(0,
// I), with a logistic classifier or an AND of two (anonymous 2021b section 2.1).
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "whence/models/roles.h"

namespace whence::truth {

/// Nodes and weights of E f(t), t ~ N(0, 1), float64 (n), from the Jacobi matrix (Golub and Welsch 1969).
struct Quadrature {
  explicit Quadrature(std::int64_t n = 160);
  at::Tensor nodes, weights;
};

/// x = z W^T as images (N, 1, 1, pixels).
class LinearDecoder final : public models::Decoder {
 public:
  explicit LinearDecoder(at::Tensor weight) : weight_(std::move(weight)) {}
  at::Tensor decode(const at::Tensor& z) const override;
  std::int64_t latents() const override { return weight_.size(1); }

 private:
  at::Tensor weight_;  ///< (pixels, latents)
};

/// p(y = 1 | x) = product over rows v of `weight` of sigmoid(v . x): logistic with one row, AND with two.
class AndClassifier final : public models::Classifier {
 public:
  explicit AndClassifier(at::Tensor weight) : weight_(std::move(weight)) {}
  at::Tensor logits(const at::Tensor& x) const override;
  std::int64_t classes() const override { return 2; }

 private:
  at::Tensor weight_;  ///< (rows, pixels)
};

/// I(F; Y) for p(y = 1) = sigmoid(u + w), u ~ N(0, own^2) a function of F, w ~ N(0, other^2) of the rest.
double logistic_flow(double own, double other);
/// I(F; Y | rest) of the same.
double logistic_conditional_flow(double own, double other);
/// I(F; Y) for p(y = 1) = sigmoid(u1 + w1) sigmoid(u2 + w2), all four independent.
double and_flow(double own1, double other1, double own2, double other2);

/// Norm of the entries of `coefficients` that are (inside) or are not among `factors`.
double norm_of(const std::vector<double>& coefficients, const std::vector<std::int64_t>& factors,
               bool inside);

}  // namespace whence::truth
