#include "estimators/compare.h"

#include <torch/csrc/autograd/autograd.h>

#include "whence/core/random.h"

namespace whence::bench {
namespace {

using at::Tensor;

/// One estimate of I(alpha; Y), differentiable in the problem's parameters.
Tensor estimate(const Problem& problem, const Design& design, const gce::LabelModel& labels,
                at::Generator& generator) {
  const Tensor z =
      flow::draw_latents(problem.causal + problem.noncausal, problem.factors(), design.outer, design.inner,
                         design.estimator.sampling, design.estimator.outer_draws, generator);
  const Tensor p = problem.probabilities(z).view({design.outer, design.inner, -1});
  if (design.inference == gce::Inference::averaged) return flow::mutual_information(p, design.estimator);
  const Tensor alpha = z.view({design.outer, design.inner, -1}).select(1, 0).narrow(1, 0, problem.causal);
  return flow::variational_information(p, labels.log_probabilities(alpha).detach(), design.estimator);
}

/// Sums of the errors of values and gradients.
struct Errors {
  explicit Errors(const Truth& truth_) : truth(truth_), gradient(at::zeros_like(truth_.gradient)) {}

  void add(double nats, const Tensor& of_gradient) {
    const double error = nats - truth.nats;
    value += error, value_squares += error * error, n += 1;
    const Tensor gradient_error = of_gradient - truth.gradient;
    gradient += gradient_error;
    gradient_squares += gradient_error.square().sum().item<double>();
  }

  Quality quality() const {
    const double length = truth.gradient.norm().item<double>();
    const double mean_square = gradient_squares / n;
    // The mean error's square length contains 1/n of one estimate's variance, which is taken out.
    const double of_mean = (gradient / n).square().sum().item<double>();
    const double bias_square = std::max(0.0, (n * of_mean - mean_square) / (n - 1));
    return {.bias = value / n,
            .deviation = std::sqrt(std::max(0.0, value_squares / n - value / n * value / n)),
            .gradient_bias = std::sqrt(bias_square) / length,
            .gradient_error = std::sqrt(mean_square) / length};
  }

  const Truth& truth;
  double n = 0, value = 0, value_squares = 0, gradient_squares = 0;
  Tensor gradient;
};

}  // namespace

double Quality::gradient_error_at(double own, double budget) const {
  const double squared_bias = gradient_bias * gradient_bias;
  return std::sqrt(squared_bias +
                   std::max(0.0, gradient_error * gradient_error - squared_bias) * own / budget);
}

gce::LabelModel learned_labels(const Problem& problem) {
  constexpr std::int64_t draws = 32768, batch = 256, steps = 3000;
  at::Generator generator = make_generator(0, "bench/estimators/labels/" + problem.name);
  gce::LabelModel labels(problem.causal, problem.classes, generator);
  const Tensor z = at::randn({draws, problem.causal + problem.noncausal}, generator, at::kFloat);
  const Tensor p = [&] {
    const at::NoGradGuard no_grad;
    std::vector<Tensor> parts;
    for (const Tensor& rows : z.split(1024)) parts.push_back(problem.probabilities(rows));
    return at::cat(parts);
  }();
  for (std::int64_t i = 0; i < steps; ++i) {
    const Tensor chosen = at::randint(draws, {batch}, generator, at::kLong);
    const Tensor log_q = labels.log_probabilities(z.index_select(0, chosen).narrow(1, 0, problem.causal));
    const Tensor loss = -(p.index_select(0, chosen) * log_q).sum(1).mean();
    labels.optimizer.set_gradients({torch::autograd::grad({loss}, labels.optimizer.parameters())});
    const double left = 1 - static_cast<double>(i) / static_cast<double>(steps);
    labels.optimizer.step(gce::LabelModel::learning_rate * left);
  }
  return labels;
}

Quality quality_of(const Problem& problem, const Design& design, const gce::LabelModel& labels,
                   std::int64_t repetitions) {
  at::Generator generator = make_generator(1, "bench/estimators/" + design.name());
  Errors errors(problem.truth);
  for (std::int64_t r = 0; r < repetitions; ++r) {
    const Tensor value = estimate(problem, design, labels, generator);
    errors.add(value.item<double>(), problem.gradient_of(value));
  }
  return errors.quality();
}

std::map<std::string, Quality> qualities_of(const Problem& problem, std::int64_t repetitions) {
  const gce::LabelModel labels = learned_labels(problem);
  std::map<std::string, Quality> qualities;
  for (const Design& design : all_designs())
    qualities[design.name()] =
        quality_of(problem, design, labels, design.passes() >= 1000 ? (repetitions + 3) / 4 : repetitions);
  return qualities;
}

}  // namespace whence::bench
