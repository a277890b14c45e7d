// Non-negative matrix factorization.
#include "whence/explain/modularity/factorization.h"

#include "unit/modularity/generators.h"

namespace whence::modularity {
namespace {

using namespace test_support;

Generator stream(std::uint64_t seed) { return make_generator(seed, "test/factorization"); }

Tensor product_of(const Factorization& found) { return found.weights.mm(found.patterns); }

/// Rows with one pattern each, and patterns that do not overlap, have one factorization but for order and size.
TEST(Factorization, RecoversPlantedFactors) {
  Generator generator = stream(1);
  Tensor weights = at::zeros({12, 3}, at::kDouble), patterns = at::zeros({3, 30}, at::kDouble);
  for (std::int64_t i = 0; i < 12; ++i) weights[i][i % 3] = 1.0 + static_cast<double>(i);
  for (std::int64_t j = 0; j < 3; ++j)
    patterns[j]
        .narrow(0, 10 * j, 10)
        .copy_(at::rand({10}, generator, at::TensorOptions().dtype(at::kDouble)) + 0.5);
  patterns = patterns / patterns.norm(2, 1, true);
  const Tensor matrix = weights.mm(patterns);
  const Factorization found = factorize(matrix, 3, {}, generator);
  EXPECT_LT(relative_error(product_of(found), matrix), 1e-6);
  EXPECT_LT(largest_difference(found.patterns.mm(patterns.t()).max().view({1}), at::ones({1})), 1e-9);
  EXPECT_LT(largest_difference(std::get<0>(found.patterns.mm(patterns.t()).max(1)), at::ones({3})), 1e-9);
}

TEST(Factorization, ErrorsNeverRiseAndFactorsAreNonNegative) {
  for (const std::uint64_t seed : {1, 2, 3}) {
    Generator generator = stream(seed);
    const Tensor matrix =
        at::rand({20, 50}, generator, at::TensorOptions().dtype(at::kDouble)).gt(0.6).to(at::kDouble);
    FactorizationOptions options;
    options.restarts = static_cast<std::int64_t>(seed) - 1;
    const Factorization found = factorize(matrix, 4, options, generator);
    for (std::size_t i = 1; i < found.errors.size(); ++i)
      EXPECT_LE(found.errors[i], found.errors[i - 1] + 1e-9) << seed;
    EXPECT_GE(found.weights.min().item<double>(), 0);
    EXPECT_GE(found.patterns.min().item<double>(), 0);
    EXPECT_NEAR((matrix - product_of(found)).square().sum().item<double>(), found.errors.back(), 1e-9);
    EXPECT_LT(largest_difference(found.patterns.norm(2, 1), at::ones({4})), 1e-9);
  }
}

/// At a least error no entry can be moved for the better: the gradient is 0 where the entry is positive, and not negative where it
/// is 0 (Karush, Kuhn and Tucker).
TEST(Factorization, EndsWhereNoEntryCanBeImproved) {
  Generator generator = stream(4);
  const Tensor matrix = at::rand({10, 24}, generator, at::TensorOptions().dtype(at::kDouble));
  const Factorization found = factorize(matrix, 3, {.iterations = 5'000, .tolerance = 0}, generator);
  const Tensor rest = product_of(found) - matrix;
  for (const auto& [entries, slope] : {std::pair(found.weights, rest.mm(found.patterns.t())),
                                       std::pair(found.patterns, found.weights.t().mm(rest))}) {
    const Tensor size = at::ones({}, at::kDouble) * matrix.norm();
    EXPECT_GT((slope / size).min().item<double>(), -1e-5);
    EXPECT_LT(((slope * (entries > 0)) / size).abs().max().item<double>(), 1e-5);
  }
}

TEST(Factorization, RestartsKeepTheLeastError) {
  Generator generator = stream(5);
  const Tensor matrix =
      at::rand({16, 40}, generator, at::TensorOptions().dtype(at::kDouble)).gt(0.7).to(at::kDouble);
  const double alone = factorize(matrix, 5, {}, generator).errors.back();
  EXPECT_LE(factorize(matrix, 5, {.restarts = 6}, generator).errors.back(), alone);
}

TEST(Factorization, RanksFromOneToTheNumberOfRows) {
  Generator generator = stream(6);
  EXPECT_NO_THROW(factorize(at::eye(4, at::kDouble), 4, {}, generator));
  EXPECT_TRUE(
      test::contains(test::usage_error_of([&] { factorize(at::eye(4, at::kDouble), 5, {}, generator); }),
                     "5 modules were asked of 4 channels"));
}

}  // namespace
}  // namespace whence::modularity
