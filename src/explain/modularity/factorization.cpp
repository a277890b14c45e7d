#include "whence/explain/modularity/factorization.h"

#include <ATen/ops/linalg_svd.h>

#include "whence/core/error.h"

namespace whence::modularity {
namespace {

using at::Tensor;

double error_of(const Tensor& matrix, const Tensor& weights, const Tensor& patterns) {
  return (matrix - weights.mm(patterns)).square().sum().item<double>();
}

/// Best columns of `weights` one after another for the least ||S - W H||^2: products = S H^T, gram = H H^T.
void update(Tensor& weights, const Tensor& products, const Tensor& gram) {
  for (std::int64_t j = 0; j < weights.size(1); ++j) {
    const double size = gram[j][j].item<double>();
    if (size <= 0) continue;
    const Tensor rest = products.select(1, j) - weights.mv(gram.select(1, j));
    weights.select(1, j).add_(rest / size).clamp_min_(0);
  }
}

/// Rows of H get length 1, W takes their size.
void normalise(Factorization& result) {
  const Tensor lengths = result.patterns.norm(2, 1, true);
  result.patterns = at::where(lengths > 0, result.patterns / lengths, result.patterns);
  result.weights = result.weights * lengths.t();
}

Factorization improved(const Tensor& matrix, Factorization result, const FactorizationOptions& options) {
  const double size = matrix.square().sum().item<double>();
  Tensor patterns = result.patterns.t().contiguous();  // (p, r): its columns are updated as those of W
  Tensor& weights = result.weights;
  result.errors = {error_of(matrix, weights, patterns.t())};
  for (std::int64_t step = 0; step < options.iterations; ++step) {
    update(weights, matrix.mm(patterns), patterns.t().mm(patterns));
    update(patterns, matrix.t().mm(weights), weights.t().mm(weights));
    result.errors.push_back(error_of(matrix, weights, patterns.t()));
    if (result.errors[result.errors.size() - 2] - result.errors.back() <= options.tolerance * size) break;
  }
  result.patterns = patterns.t().contiguous();
  normalise(result);
  return result;
}

Factorization random_start(const Tensor& matrix, std::int64_t rank, at::Generator& generator) {
  const double scale = std::sqrt(matrix.mean().item<double>() / static_cast<double>(rank));
  return {at::rand({matrix.size(0), rank}, generator, matrix.options()) * (2 * scale),
          at::rand({rank, matrix.size(1)}, generator, matrix.options()) * (2 * scale),
          {}};
}

}  // namespace

Factorization singular_start(const Tensor& matrix, std::int64_t rank) {
  const auto [left, sizes, right] = at::linalg_svd(matrix, /*full_matrices=*/false);
  Factorization start{at::zeros({matrix.size(0), rank}, matrix.options()),
                      at::zeros({rank, matrix.size(1)}, matrix.options()),
                      {}};
  for (std::int64_t j = 0; j < std::min(rank, sizes.size(0)); ++j) {
    // A singular pair is known up to its sign: the half with more weight counts. The first pair has one sign throughout.
    Tensor u = left.select(1, j), v = right.select(0, j);
    const auto weight = [](const Tensor& a, const Tensor& b) {
      return (a.clamp_min(0).norm() * b.clamp_min(0).norm()).item<double>();
    };
    const double plus = weight(u, v), minus = weight(-u, -v);
    if (minus > plus) u = -u, v = -v;
    u = u.clamp_min(0);
    v = v.clamp_min(0);
    const double size = u.norm().item<double>() * v.norm().item<double>();
    if (size <= 0) continue;
    const double share = std::sqrt(sizes[j].item<double>() * std::max(plus, minus));
    start.weights.select(1, j).copy_(u / u.norm() * share);
    start.patterns.select(0, j).copy_(v / v.norm() * share);
  }
  return start;
}

Factorization factorize(const Tensor& matrix_, std::int64_t rank, const FactorizationOptions& options,
                        at::Generator& generator) {
  const Tensor matrix = matrix_.to(at::kDouble).contiguous();
  TORCH_CHECK(matrix.dim() == 2 && matrix.numel() > 0, "a matrix is needed, got ", matrix.sizes());
  if (rank < 1 || rank > matrix.size(0))
    fail_usage("{} modules were asked of {} channels; give 1 to {}", rank, matrix.size(0), matrix.size(0));
  const at::NoGradGuard no_grad;
  Factorization best = improved(matrix, singular_start(matrix, rank), options);
  for (std::int64_t i = 0; i < options.restarts; ++i) {
    Factorization other = improved(matrix, random_start(matrix, rank, generator), options);
    if (other.errors.back() < best.errors.back()) best = std::move(other);
  }
  return best;
}

}  // namespace whence::modularity
