#include "verification/linear_gaussian.h"

namespace whence::truth {
namespace {

using at::Tensor;

/// Negative entropy of a Bernoulli variable.
Tensor bernoulli_term(const Tensor& p) { return at::xlogy(p, p) + at::xlogy(1 - p, 1 - p); }

/// p(y = 1 | u + w) on the grid of nodes, (nodes of u, nodes of w).
Tensor sigmoid_grid(const Quadrature& q, double own, double other) {
  return at::sigmoid(own * q.nodes.unsqueeze(1) + other * q.nodes.unsqueeze(0));
}

}  // namespace

Quadrature::Quadrature(std::int64_t n) {
  const Tensor off_diagonal = at::arange(1, n, at::kDouble).sqrt();
  const auto [values, vectors] = at::linalg_eigh(at::diag(off_diagonal, 1) + at::diag(off_diagonal, -1));
  nodes = values;
  weights = vectors.select(0, 0).square();
}

Tensor LinearDecoder::decode(const Tensor& z) const {
  return at::matmul(z.to(weight_.scalar_type()), weight_.t()).view({z.size(0), 1, 1, weight_.size(0)});
}

Tensor AndClassifier::logits(const Tensor& x) const {
  const Tensor parts = at::matmul(x.flatten(1), weight_.t().to(x.scalar_type()));
  const Tensor log_yes = at::log_sigmoid(parts).sum(1);
  return at::stack({at::log1p(-log_yes.exp()), log_yes}, 1);
}

double logistic_flow(double own, double other) {
  const Quadrature q;
  const Tensor given = at::matmul(sigmoid_grid(q, own, other), q.weights);
  return (at::dot(bernoulli_term(given), q.weights) - bernoulli_term(at::dot(given, q.weights)))
      .item<double>();
}

double logistic_conditional_flow(double own, double other) {
  const Quadrature q;
  const Tensor grid = sigmoid_grid(q, own, other);
  const Tensor within = at::matmul(q.weights, bernoulli_term(grid));
  return at::dot(within - bernoulli_term(at::matmul(q.weights, grid)), q.weights).item<double>();
}

double and_flow(double own1, double other1, double own2, double other2) {
  const Quadrature q;
  const Tensor first = at::matmul(sigmoid_grid(q, own1, other1), q.weights);
  const Tensor second = at::matmul(sigmoid_grid(q, own2, other2), q.weights);
  const Tensor both = at::outer(first, second);
  const Tensor weights = at::outer(q.weights, q.weights);
  return ((bernoulli_term(both) * weights).sum() - bernoulli_term((both * weights).sum())).item<double>();
}

double norm_of(const std::vector<double>& coefficients, const std::vector<std::int64_t>& factors,
               bool inside) {
  double squares = 0;
  for (std::size_t i = 0; i < coefficients.size(); ++i) {
    const bool is_factor =
        std::find(factors.begin(), factors.end(), static_cast<std::int64_t>(i)) != factors.end();
    if (is_factor == inside) squares += coefficients[i] * coefficients[i];
  }
  return std::sqrt(squares);
}

}  // namespace whence::truth
