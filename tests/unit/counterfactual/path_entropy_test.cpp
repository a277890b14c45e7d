// Entropy and gradients along paths, against plain float64 loops over the definitions.
#include "whence/explain/counterfactual/path_entropy.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "support/errors.h"
#include "unit/counterfactual/flat_models.h"

namespace whence::counterfactual {
namespace {

using at::Tensor;
using whence::test::contains;
using whence::test::usage_error_of;

using Values = std::vector<double>;

double plain_pearson(const Values& a, const Values& b) {
  double mean_a = 0, mean_b = 0;
  const auto n = static_cast<double>(a.size());
  for (std::size_t i = 0; i < a.size(); ++i) mean_a += a[i] / n, mean_b += b[i] / n;
  double both = 0, of_a = 0, of_b = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    both += (a[i] - mean_a) * (b[i] - mean_b);
    of_a += (a[i] - mean_a) * (a[i] - mean_a);
    of_b += (b[i] - mean_b) * (b[i] - mean_b);
  }
  return both / std::sqrt(of_a * of_b);
}

TEST(EntropyWindow, IsTheWeightedMeanAndDeviationOfTheSteps) {
  const Tensor entropy = at::tensor({0.F, 0.2F, 0.9F, 0.4F, 0.F, 0.1F, 0.1F, 0.1F, 0.1F, 0.1F}).view({2, 5});
  const EntropyWindow window = entropy_window(entropy);
  // 1.5 bits in all: (0.2 + 2 * 0.9 + 3 * 0.4) / 1.5; even weights: the deviation of 0 .. 4.
  EXPECT_NEAR(window.mean[0].item<double>(), 3.2 / 1.5, 1e-6);
  const double mean = 3.2 / 1.5;
  const double square =
      (0.2 * (1 - mean) * (1 - mean) + 0.9 * (2 - mean) * (2 - mean) + 0.4 * (3 - mean) * (3 - mean)) / 1.5;
  EXPECT_NEAR(window.deviation[0].item<double>(), std::sqrt(square), 1e-6);
  EXPECT_NEAR(window.mean[1].item<double>(), 2, 1e-6);
  EXPECT_NEAR(window.deviation[1].item<double>(), std::sqrt(2.0), 1e-6);
  EXPECT_TRUE(std::isnan(entropy_window(at::zeros({1, 4})).mean.item<double>()));
}

TEST(Pearson, IsThatOfPlainSums) {
  const Tensor a = normal_codes(7, 5), b = 0.3 * a + normal_codes(7, 5).roll(1, 0);
  Values first, second;
  for (std::int64_t i = 0; i < 35; ++i) {
    first.push_back(a.view({35})[i].item<double>());
    second.push_back(b.contiguous().view({35})[i].item<double>());
  }
  EXPECT_NEAR(pearson(a, b), plain_pearson(first, second), 1e-9);
  EXPECT_NEAR(pearson(a, -2 * a + 1), -1, 1e-9);
  EXPECT_TRUE(std::isnan(pearson(a, at::ones_like(a))));
}

/// Three classes with one training image each, f = W x: every path and every number on it is known.
struct Triangle {
  const std::vector<Values> weight = {{2, -1}, {-1, 2}, {-2, -2}};
  const std::vector<Values> images = {{1.2, 0.1}, {-0.2, 1}, {-0.7, -0.9}};
  Identity both{2};
  OfCode classifier{3, [](const Tensor& z) {
                      const Tensor rows = at::tensor({2.F, -1.F, -1.F, 2.F, -2.F, -2.F}).view({3, 2});
                      return z.matmul(rows.t());
                    }};
  ImageModel model{both, both,
                   known_codes(both, both, classifier,
                               at::tensor({1.2F, 0.1F, -0.2F, 1.F, -0.7F, -0.9F}).view({3, 1, 1, 2}),
                               at::arange(3, at::kLong))};

  Values probabilities(const Values& x) const {
    Values p;
    double sum = 0;
    for (const Values& row : weight) p.push_back(std::exp(row[0] * x[0] + row[1] * x[1])), sum += p.back();
    for (double& each : p) each /= sum;
    return p;
  }
};

TEST(PathEntropies, FollowTheDefinitionsInFloat64) {
  const Triangle triangle;
  for (const PathKind kind : {PathKind::radial, PathKind::linear}) {
    const PathEntropies found =
        path_entropies(triangle.model, triangle.classifier, {.pairs = 10, .steps = 9, .kind = kind}, 5);
    ASSERT_EQ(found.to.size(0), 3);  // as many as there are images
    ASSERT_EQ(found.entropy.sizes(), at::IntArrayRef({3, 9}));
    Values all_entropies, all_sizes, entropy_of_values, sizes_of_values, own;
    for (std::int64_t path = 0; path < 3; ++path) {
      const auto class_of = [&](const Tensor& labels) {
        return static_cast<std::size_t>(labels[path].item<std::int64_t>());
      };
      const std::size_t a = class_of(found.from), b = class_of(found.to);
      ASSERT_NE(a, b);
      Values entropies, sizes;
      for (int i = 0; i < 9; ++i) {
        const double t = i / 8.0, of_a = kind == PathKind::radial ? std::sqrt(1 - t) : 1 - t,
                     of_b = kind == PathKind::radial ? std::sqrt(t) : t;
        Values x;
        for (const std::size_t d : {0U, 1U})
          x.push_back(of_a * triangle.images[a][d] + of_b * triangle.images[b][d]);
        const Values p = triangle.probabilities(x);
        const double share = p[a] / (p[a] + p[b]);
        entropies.push_back(-share * std::log2(share) - (1 - share) * std::log2(1 - share));
        double size = 0;
        for (const std::size_t d : {0U, 1U}) {
          double mean_weight = 0;
          for (std::size_t k = 0; k < 3; ++k) mean_weight += p[k] * triangle.weight[k][d];
          const double gradient = p[a] * (triangle.weight[a][d] - mean_weight);
          entropy_of_values.push_back(entropies.back());
          sizes_of_values.push_back(std::abs(gradient));
          size += std::abs(gradient) / 2;
        }
        sizes.push_back(size);
        EXPECT_NEAR(found.entropy[path][i].item<double>(), entropies.back(), 1e-5);
        EXPECT_NEAR(found.gradient[path][i].item<double>(), size, 1e-5);
      }
      own.push_back(plain_pearson(entropies, sizes));
      EXPECT_NEAR(found.within[path].item<double>(), own.back(), 1e-4);
      all_entropies.insert(all_entropies.end(), entropies.begin(), entropies.end());
      all_sizes.insert(all_sizes.end(), sizes.begin(), sizes.end());
    }
    std::sort(own.begin(), own.end());
    EXPECT_NEAR(found.of_a_path, own[1], 1e-4);
    EXPECT_NEAR(found.of_steps, plain_pearson(all_entropies, all_sizes), 1e-4);
    EXPECT_NEAR(found.of_values, plain_pearson(entropy_of_values, sizes_of_values), 1e-4);
    EXPECT_TRUE(at::equal(found.window.mean, entropy_window(found.entropy).mean));
  }
}

TEST(PathEntropies, NeedTwoClassesThatAreReadRight) {
  const Identity both(2);
  const OfCode one_answer(2, [](const Tensor& z) {
    return at::stack({at::ones_like(z.select(1, 0)), at::zeros_like(z.select(1, 0))}, 1);
  });
  const ImageModel model{both, both,
                         known_codes(both, both, one_answer, normal_codes(6, 2).view({6, 1, 1, 2}),
                                     at::arange(6, at::kLong).remainder(2))};
  const PathEntropies none = path_entropies(model, one_answer, {.pairs = 4, .steps = 5}, 0);
  EXPECT_EQ(none.entropy.sizes(), at::IntArrayRef({0, 5}));
  EXPECT_TRUE(std::isnan(none.of_values));
  EXPECT_TRUE(contains(usage_error_of([&] { path_entropies(model, one_answer, {.pairs = 0}, 0); }),
                       "0 paths of 100 steps"));
}

}  // namespace
}  // namespace whence::counterfactual
