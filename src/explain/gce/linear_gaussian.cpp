#include "whence/explain/gce/linear_gaussian.h"

#include <torch/csrc/autograd/autograd.h>

#include "whence/core/random.h"
#include "whence/nn/training/optimizer.h"
#include "whence/nn/training/schedule.h"
#include "whence/platform/device.h"

namespace whence::gce {
namespace {

using at::Tensor;

/// Points and weights of E f(u), u ~ N(0, covariance): the trapezoidal rule, whose error falls faster than any power of
/// the distance of its points for functions this smooth.
struct Grid {
  Tensor points;   ///< (n, rows of the covariance)
  Tensor weights;  ///< (n)
};

/// A matrix of as many columns as `covariance` has rank, whose product with its transpose it is.
Tensor root_of(const Tensor& covariance) {
  const auto [values, vectors] = at::linalg_eigh(covariance);
  const Tensor kept = at::nonzero(values > 1e-12).flatten();
  return (vectors * values.clamp_min(0).sqrt()).index_select(1, kept);
}

/// `points` along each direction in which the root reaches.
Grid grid_of(const Tensor& root, std::int64_t points) {
  const Tensor line = at::linspace(-6.5, 6.5, points, root.options());
  Tensor density = (-line.square() / 2).exp();
  density = density / density.sum();
  Grid grid{root.new_zeros({1, 0}), root.new_ones({1})};
  for (std::int64_t d = 0; d < root.size(1); ++d) {
    const std::int64_t n = grid.points.size(0);
    grid.points = at::cat({grid.points.repeat_interleave(points, 0), line.repeat({n}).unsqueeze(1)}, 1);
    grid.weights = at::outer(grid.weights, density).flatten();
  }
  grid.points = grid.points.matmul(root.t());
  return grid;
}

/// Negative entropy of an answer that is yes with probability p.
Tensor yes_no_information(const Tensor& mean) {
  const Tensor p = mean.clamp(0, 1);  // a sum of rounded weights may exceed 1
  return at::xlogy(p, p) + at::xlogy(1 - p, 1 - p);
}

Tensor yes_probability(const Tensor& normals, const Tensor& x) {
  return at::sigmoid(x.matmul(normals.t())).prod(1);
}

}  // namespace

double exact_flow(const LinearGaussian& problem, const Tensor& weight, std::int64_t causal) {
  const Tensor seen = problem.normals.matmul(weight.to(at::kDouble));  // what each factor adds to each v . x
  const auto root = [&](std::int64_t first, std::int64_t count) {
    const Tensor columns = seen.narrow(1, first, count);
    return root_of(columns.matmul(columns.t()));
  };
  const Tensor of_alpha = root(0, causal), of_beta = root(causal, seen.size(1) - causal);
  const std::int64_t ranks = of_alpha.size(1) + of_beta.size(1);
  const std::int64_t points = ranks < 3 ? 201 : ranks == 3 ? 121 : 41;
  const Grid alpha = grid_of(of_alpha, points), beta = grid_of(of_beta, points);
  const Tensor both = alpha.points.unsqueeze(1) + beta.points.unsqueeze(0);
  const Tensor given = at::sigmoid(both).prod(2).matmul(beta.weights);
  return (at::dot(yes_no_information(given), alpha.weights) -
          yes_no_information(at::dot(given, alpha.weights)))
      .item<double>();
}

Tensor divergence(const LinearGaussian& problem, const Tensor& weight) {
  const Tensor& data = problem.covariance;
  const Tensor model = weight.matmul(weight.t()) + problem.noise * at::eye(data.size(0), data.options());
  const Tensor trace = at::linalg_solve(model, data).diagonal().sum();
  return 0.5 * (trace - static_cast<double>(data.size(0)) + at::logdet(model) - at::logdet(data));
}

Tensor fitted_weight(const LinearGaussian& problem, double angle) {
  TORCH_CHECK(problem.covariance.size(0) == 2, "fitted_weight: two dimensions only");
  const Tensor turn = at::tensor({std::cos(angle), -std::sin(angle), std::sin(angle), std::cos(angle)},
                                 problem.covariance.options().dtype(at::kDouble))
                          .view({2, 2});
  const auto [values, vectors] = at::linalg_eigh(problem.covariance);
  return (vectors * values.sqrt()).matmul(vectors.t()).matmul(turn);
}

Tensor best_directions(const LinearGaussian& problem) {
  const Tensor directions = problem.covariance.matmul(problem.normals.t());
  return directions / directions.norm(2, 0, true);
}

double largest_angle(const Tensor& columns, const Tensor& others) {
  const auto basis = [](const Tensor& matrix) { return std::get<0>(at::linalg_qr(matrix.to(at::kDouble))); };
  const Tensor cosines = at::linalg_svdvals(basis(columns).t().matmul(basis(others)));
  return std::acos(std::min(1.0, cosines.min().item<double>()));
}

Tensor learn_weight(const LinearGaussian& problem, const LinearGaussianTraining& options,
                    const ProgressCallback& progress) {
  const std::int64_t latents = options.causal + options.noncausal;
  nn::Network generator("linear", {latents});
  generator.add("map", nn::Linear{problem.covariance.size(0), /*bias=*/false});
  Generator start = make_generator(options.seed, "linear-gaussian/start");
  generator.to(problem.covariance.device());
  const Tensor weight = generator.parameters().front().tensor;
  {
    const at::NoGradGuard no_grad;
    weight.copy_(0.5 * at::randn(weight.sizes(), start, draws_of(start)));
  }
  nn::Optimizer optimizer({&generator}, nn::Adam{});
  for (std::int64_t step = 0; step < options.steps; ++step) {
    Generator own = make_generator(options.seed, fmt::format("linear-gaussian/step/{}", step));
    const CausalDraws draws =
        draw_causal(options.causal, options.noncausal, options.effect, own).to(weight.device());
    const Tensor yes = yes_probability(problem.normals, generator.forward(draws.latents).to(at::kDouble));
    const Tensor flow = causal_effect(draws, at::stack({1 - yes, yes}, 1));
    const Tensor far = divergence(problem, weight.to(at::kDouble));
    optimizer.set_gradients({torch::autograd::grad({options.lambda * far - flow}, optimizer.parameters())});
    optimizer.step(nn::one_cycle(step, options.steps, options.learning_rate, 0.1));
    if (progress)
      progress({"linear-Gaussian",
                step + 1,
                options.steps,
                {{"C", flow.item<double>()}, {"divergence", far.item<double>()}}});
  }
  return weight.detach().to(at::kDouble);
}

}  // namespace whence::gce
