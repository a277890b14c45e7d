#include "whence/explain/flow/estimators.h"

#include <limits>

#include "core/compatibility.h"

namespace whence::flow {
namespace {

using at::Tensor;

/// Below it a probability has no logarithm worth computing; p log p and its gradient stay finite at p = 0.
constexpr double kSmallest = std::numeric_limits<float>::min();

Tensor safe_log(const Tensor& p) { return p.clamp_min(kSmallest).log(); }

/// sum_y p log p: (..., M) -> (...).
Tensor negative_entropy(const Tensor& p) { return (p * safe_log(p)).sum(-1); }

/// How far the noise of `mean` raises sum_y p log p to second order: sum_y Var / (2 p).
Tensor entropy_bias(const Tensor& variance_of_mean, const Tensor& mean) {
  return (variance_of_mean / (2 * mean.clamp_min(kSmallest))).sum(-1);
}

/// Sample variance of n values around their mean along dimension `dim`; n >= 2.
Tensor variance(const Tensor& values, std::int64_t dim) {
  return (values - values.mean(dim, true)).square().sum(dim) / static_cast<double>(values.size(dim) - 1);
}

/// Variance of the mean of n outer draws' values (n, ...); n >= 2. Stratified draws that follow each other lie in
/// neighbouring cells: half the mean square of their differences is what varies within a cell, and a little more.
/// Other draws come in independent groups, whose means vary by themselves.
Tensor variance_of_mean(const Tensor& values, Placement draws) {
  const std::int64_t n = values.size(0);
  if (draws == Placement::stratified)
    return values.diff(1, 0).square().sum(0) / static_cast<double>(2 * (n - 1) * n);
  const std::int64_t size = group_size(draws, n), groups = n / size;
  TORCH_CHECK(groups >= 2, "an error needs two independent groups of draws");
  return variance(values.unflatten(0, {groups, size}).mean(1), 0) / static_cast<double>(groups);
}

/// Means without one of the n values along dimension `dim`. Rounding must not make a probability negative.
Tensor leave_one_out(const Tensor& values, std::int64_t dim) {
  const auto n = static_cast<double>(values.size(dim));
  return ((values.sum(dim, true) - values) / (n - 1)).clamp_min(0);
}

/// Quenouille's jackknife of sum_y p log p at the mean over `dim`: n f - (n - 1) mean of f without one.
Tensor jackknifed_entropy(const Tensor& values, std::int64_t dim) {
  const auto n = static_cast<double>(values.size(dim));
  return n * negative_entropy(values.mean(dim)) -
         (n - 1) * negative_entropy(leave_one_out(values, dim)).mean(dim);
}

/// The draws behind one estimate, in float64: the jackknife multiplies rounding errors by the number of
/// draws.
struct Draws {
  Draws(const Tensor& probabilities, const Estimator& estimator_)
      : p(probabilities.to(at::kDouble)),
        p_outer(p.mean(1)),
        p_marginal(p_outer.mean(0)),
        estimator(estimator_) {}

  std::int64_t outer() const { return p.size(0); }
  std::int64_t inner() const { return p.size(1); }

  Tensor p;           ///< (outer, inner, M)
  Tensor p_outer;     ///< p(y|F) of each outer draw, (outer, M)
  Tensor p_marginal;  ///< p(y), (M)
  Estimator estimator;
};

/// sum_y p(y|F) log p(y|F) for each outer draw, (outer). A single inner draw is taken as exact.
Tensor outer_terms(const Draws& draws) {
  const Correction correction = draws.estimator.correction;
  const Tensor plain = negative_entropy(draws.p_outer);
  if (correction == Correction::none || draws.inner() < 2) return plain;
  if (correction == Correction::jackknife) return jackknifed_entropy(draws.p, 1);
  const Tensor inner_first = draws.p.transpose(0, 1);
  return plain - entropy_bias(variance_of_mean(inner_first, draws.estimator.inner_draws), draws.p_outer);
}

/// Variance of p(y) over repetitions of the sampling. Crossed draws: the analysis of variance of a two-way
/// layout, where rows and columns both contain the interaction, which is therefore subtracted once.
Tensor variance_of_marginal(const Draws& draws) {
  const auto outer = static_cast<double>(draws.outer());
  const auto inner = static_cast<double>(draws.inner());
  const Tensor rows = variance_of_mean(draws.p_outer, draws.estimator.outer_draws);
  if (draws.estimator.sampling == Sampling::nested || draws.inner() < 2) return rows;
  const Tensor p_inner = draws.p.mean(0);
  const Tensor interaction = (draws.p - draws.p_outer.unsqueeze(1) - p_inner.unsqueeze(0) + draws.p_marginal)
                                 .square()
                                 .flatten(0, 1)
                                 .sum(0) /
                             ((outer - 1) * (inner - 1));
  return rows + variance_of_mean(p_inner, draws.estimator.inner_draws) - interaction / (outer * inner);
}

/// The jackknife over outer draws of the jackknife over inner draws: removes the terms in 1/outer, 1/inner
/// and 1/(outer inner) of the bias.
Tensor jackknifed_two_way(const Draws& draws) {
  const auto outer = static_cast<double>(draws.outer());
  const auto inner = static_cast<double>(draws.inner());
  const Tensor p_inner = draws.p.mean(0);
  const Tensor without_both = leave_one_out(leave_one_out(draws.p, 0), 1);
  return outer * jackknifed_entropy(p_inner, 0) -
         (outer - 1) * (inner * negative_entropy(leave_one_out(draws.p_outer, 0)).mean() -
                        (inner - 1) * negative_entropy(without_both).mean());
}

/// sum_y p(y) log p(y), a scalar.
Tensor marginal_term(const Draws& draws) {
  const Correction correction = draws.estimator.correction;
  const Tensor plain = negative_entropy(draws.p_marginal);
  if (correction == Correction::none || draws.outer() < 2) return plain;
  if (correction == Correction::delta)
    return plain - entropy_bias(variance_of_marginal(draws), draws.p_marginal);
  const bool two_way = draws.estimator.sampling == Sampling::crossed && draws.inner() >= 2;
  return two_way ? jackknifed_two_way(draws) : jackknifed_entropy(draws.p_outer, 0);
}

void check(const Tensor& probabilities, const Estimator& estimator) {
  TORCH_CHECK(
      estimator.correction != Correction::jackknife || estimator.outer_draws == Placement::independent,
      "the jackknife leaves out one draw at a time: it needs independent draws");
  TORCH_CHECK(probabilities.dim() == 3 && probabilities.numel() > 0,
              "probabilities must be (outer, inner, M), got ", probabilities.sizes());
}

/// The variational bound without a correction, as a single node of autograd's graph: a training step waits for it.
class PlainBound : public torch::autograd::Function<PlainBound> {
 public:
  static Tensor forward(torch::autograd::AutogradContext* context, const Tensor& probabilities,
                        const Tensor& log_q) {
    const Draws draws(probabilities, {});
    const Tensor log_marginal = safe_log(draws.p_marginal);
    const auto outer = static_cast<double>(draws.outer()), all = outer * static_cast<double>(draws.inner());
    const Tensor ratio = log_q - log_marginal;  // float64, (outer, M)
    const Tensor of_each = (ratio - (draws.p_marginal > kSmallest).to(at::kDouble)).unsqueeze(1) / all;
    context->save_for_backward({of_each.expand_as(draws.p).to(probabilities.scalar_type()),
                                (draws.p_outer / outer).to(log_q.scalar_type())});
    return (draws.p_outer * ratio).sum() / outer;
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list gradients) {
    const torch::autograd::variable_list saved = context->get_saved_variables();
    return {saved[0] * gradients[0], saved[1] * gradients[0]};
  }
};

at::ScalarType result_type(const Tensor& probabilities) {
  return probabilities.scalar_type() == at::kDouble ? at::kDouble : at::kFloat;
}

}  // namespace

at::Tensor mutual_information(const at::Tensor& probabilities, const Estimator& estimator) {
  check(probabilities, estimator);
  const Draws draws(probabilities, estimator);
  return (outer_terms(draws).mean() - marginal_term(draws)).to(result_type(probabilities));
}

at::Tensor variational_information(const at::Tensor& probabilities, const at::Tensor& log_q,
                                   const Estimator& estimator) {
  check(probabilities, estimator);
  TORCH_CHECK(
      log_q.dim() == 2 && log_q.size(0) == probabilities.size(0) && log_q.size(1) == probabilities.size(2),
      "log q must be (outer, M), got ", log_q.sizes());
  if (estimator.correction == Correction::none)
    return PlainBound::apply(probabilities, log_q).to(result_type(probabilities));
  const Draws draws(probabilities, estimator);
  const Tensor explained = (draws.p_outer * log_q.to(at::kDouble)).sum(-1);
  return (explained.mean() - marginal_term(draws)).to(result_type(probabilities));
}

at::Tensor conditional_information(const at::Tensor& probabilities, const Estimator& estimator) {
  check(probabilities, estimator);
  const Tensor p = probabilities.to(at::kDouble);
  const Tensor p_inner = p.mean(0);
  Tensor held = negative_entropy(p_inner);  // sum_y p(y|R) log p(y|R) for each draw of R, (inner)
  if (p.size(0) >= 2) {
    if (estimator.correction == Correction::delta)
      held = held - entropy_bias(variance_of_mean(p, estimator.outer_draws), p_inner);
    else if (estimator.correction == Correction::jackknife)
      held = jackknifed_entropy(p, 0);
  }
  return (negative_entropy(p).mean() - held.mean()).to(result_type(probabilities));
}

FlowValue estimate_flow(const at::Tensor& probabilities, const Estimator& estimator) {
  check(probabilities, estimator);
  const at::NoGradGuard no_grad;
  const Draws draws(probabilities, estimator);
  const Tensor terms = outer_terms(draws);
  const double nats = (terms.mean() - marginal_term(draws)).item<double>();

  // The estimate's influence function: draw a moves it by its own divergence KL(p(y|a) || p(y)) less the mean
  // one.
  const Tensor log_marginal = safe_log(draws.p_marginal);
  double squared_error = 0;
  if (draws.outer() >= 2) {
    const Tensor divergence = terms - (draws.p_outer * log_marginal).sum(-1);
    squared_error += variance_of_mean(divergence, estimator.outer_draws).item<double>();
  }
  if (estimator.sampling == Sampling::crossed && draws.inner() >= 2) {
    const Tensor log_ratio = safe_log(draws.p_outer) - log_marginal;
    const Tensor influence = (draws.p * log_ratio.unsqueeze(1)).sum(-1).mean(0);
    squared_error += variance_of_mean(influence, estimator.inner_draws).item<double>();
  }
  return {nats, std::sqrt(squared_error)};
}

std::string_view name_of(Correction correction) {
  switch (correction) {
    case Correction::none:
      return "none";
    case Correction::delta:
      return "delta";
    case Correction::jackknife:
      return "jackknife";
  }
  return "";
}

}  // namespace whence::flow
