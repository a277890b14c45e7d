#include "compare.h"

#include "whence/core/random.h"

namespace whence::bench {

Quality quality_of(const Problem& problem, const Candidate& candidate, std::int64_t passes,
                   std::int64_t repetitions) {
  at::Generator generator = make_generator(1, "bench/estimators/" + candidate.name);
  const auto n = static_cast<double>(repetitions);
  double sum = 0, squares = 0, gradient_squares = 0;
  at::Tensor gradient_sum = at::zeros_like(problem.truth.gradient);
  for (std::int64_t r = 0; r < repetitions; ++r) {
    const Estimate e =
        estimate(problem, candidate.estimator, passes / candidate.inner, candidate.inner, true, generator);
    const double error = e.nats - problem.truth.nats;
    sum += error;
    squares += error * error;
    const at::Tensor gradient_error = e.gradient - problem.truth.gradient;
    gradient_sum += gradient_error;
    gradient_squares += gradient_error.square().sum().item<double>();
  }
  const double length = problem.truth.gradient.norm().item<double>();
  const double mean_square = gradient_squares / n;
  // The mean error's square length contains 1/n of one estimate's variance, which is taken out.
  const double of_mean = (gradient_sum / n).square().sum().item<double>();
  const double bias_square = std::max(0.0, (n * of_mean - mean_square) / (n - 1));
  return {.bias = sum / n,
          .deviation = std::sqrt(std::max(0.0, squares / n - sum / n * sum / n)),
          .gradient_bias = std::sqrt(bias_square) / length,
          .gradient_error = std::sqrt(mean_square) / length};
}

std::vector<Candidate> candidates() {
  using gce::Correction, gce::Placement, gce::Sampling;
  std::vector<Candidate> all;
  const auto add = [&](Sampling sampling, Placement draws, Correction correction, std::int64_t inner) {
    all.push_back({fmt::format("{} {} {} x{}", name_of(sampling), name_of(draws), name_of(correction), inner),
                   {sampling, draws, correction},
                   inner});
  };
  for (const Sampling sampling : {Sampling::nested, Sampling::crossed})
    for (const Correction correction : {Correction::none, Correction::delta, Correction::jackknife})
      add(sampling, Placement::independent, correction, 4);
  for (const Placement draws : {Placement::antithetic, Placement::sobol, Placement::stratified})
    add(Sampling::crossed, draws, Correction::delta, 4);
  for (const std::int64_t inner : {2, 8, 16})
    add(Sampling::crossed, Placement::stratified, Correction::delta, inner);
  for (const std::int64_t inner : {2, 4, 8})
    add(Sampling::nested, Placement::stratified, Correction::delta, inner);
  return all;
}

}  // namespace whence::bench
