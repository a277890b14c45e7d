// Linear generators against what is known of them: quadrature of another kind, closed forms, and what training must find.
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include "verification/linear_gaussian.h"
#include "whence/core/random.h"
#include "whence/explain/gce/linear_gaussian.h"

namespace whence {
namespace {

using at::Tensor;

Tensor matrix(std::vector<double> values, std::int64_t rows) {
  return at::tensor(values, at::kDouble).view({rows, -1});
}

gce::LinearGaussian hyperplane() {
  return {.covariance = matrix({1.5, 0.6, 0.6, 0.8}, 2), .normals = matrix({6.0, -3.0}, 1)};
}

TEST(ExactFlow, IsTheLogisticOneOfGaussHermiteQuadrature) {
  gce::LinearGaussian problem = hyperplane();
  problem.normals = problem.normals / 3;  // as steep as Gauss-Hermite's 160 nodes can take
  const Tensor weight = matrix({0.9, 0.4, -0.3, 0.8}, 2);
  const Tensor seen = problem.normals.matmul(weight)[0].abs();
  EXPECT_NEAR(gce::exact_flow(problem, weight, 1),
              truth::logistic_flow(seen[0].item<double>(), seen[1].item<double>()), 1e-6);
}

TEST(ExactFlow, IsThatOfAnAndOfFourIndependentParts) {
  const gce::LinearGaussian problem{.covariance = at::eye(4, at::kDouble),
                                    .normals = matrix({1.5, 0.7, 0, 0, 0, 0, 2.0, 0.9}, 2)};
  const Tensor alphas_first = at::eye(4, at::kDouble).index_select(1, at::tensor({0, 2, 1, 3}));
  EXPECT_NEAR(gce::exact_flow(problem, alphas_first, 2), truth::and_flow(1.5, 0.7, 2.0, 0.9), 1e-5);
}

TEST(ExactFlow, OfAllFactorsDoesNotDependOnARotation) {
  const gce::LinearGaussian problem = hyperplane();
  EXPECT_NEAR(gce::exact_flow(problem, gce::fitted_weight(problem, 0.3), 2),
              gce::exact_flow(problem, gce::fitted_weight(problem, 1.2), 2), 1e-9);
}

TEST(Divergence, IsTheKlDivergenceOfTwoGaussians) {
  gce::LinearGaussian problem{.covariance = matrix({2.0}, 1), .normals = matrix({1.0}, 1), .noise = 0.1};
  const double model = 0.6 * 0.6 + 0.1;
  EXPECT_NEAR(gce::divergence(problem, matrix({0.6}, 1)).item<double>(),
              0.5 * (2 / model - 1 + std::log(model / 2)), 1e-12);
  const Tensor root = gce::fitted_weight(hyperplane(), 0.7);
  problem = hyperplane();
  problem.noise = 0;
  EXPECT_NEAR(gce::divergence(problem, root).item<double>(), 0, 1e-12);
}

TEST(LargestAngle, IsThatOfPlanesInSpace) {
  const Tensor plane = matrix({1, 0, 0, 1, 0, 0}, 3);
  const double tilt = 0.2;
  const Tensor tilted = matrix({1, 0, 0, std::cos(tilt), 0, std::sin(tilt)}, 3);
  EXPECT_NEAR(gce::largest_angle(plane, tilted), tilt, 1e-9);
  EXPECT_NEAR(gce::largest_angle(plane, plane.matmul(matrix({2, 1, 0.3, -1}, 2))), 0, 1e-7);
}

TEST(Landscape, IsHighestWhereAlphaPointsAlongTheKnownDirection) {
  const gce::LinearGaussian problem = hyperplane();
  double best = -1, at = 0;
  for (int step = 0; step < 360; ++step) {
    const double flow = gce::exact_flow(problem, gce::fitted_weight(problem, step * M_PI / 360), 1);
    if (flow > best) best = flow, at = step * M_PI / 360;
  }
  EXPECT_LT(
      gce::largest_angle(gce::fitted_weight(problem, at).narrow(1, 0, 1), gce::best_directions(problem)),
      1.0 * M_PI / 180);
}

TEST(LearnedWeight, FindsTheHyperplanesDirectionAndFitsTheData) {
  const gce::LinearGaussian problem = hyperplane();
  const Tensor weight = gce::learn_weight(problem, {.seed = 3});
  EXPECT_LT(gce::largest_angle(weight.narrow(1, 0, 1), gce::best_directions(problem)), 4 * M_PI / 180);
  EXPECT_LT(gce::divergence(problem, weight).item<double>(), 0.02);
  EXPECT_GT(gce::exact_flow(problem, weight, 1), 0.98 * gce::exact_flow(problem, weight, 2));
}

}  // namespace
}  // namespace whence
