// Scores of maps against the truth, in cases that are worked out by hand or by brute force.
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "support/errors.h"
#include "whence/core/random.h"
#include "whence/explain/attribution/truth.h"

namespace whence::attribution {
namespace {

using whence::test::contains;
using whence::test::usage_error_of;

at::Tensor map_of(std::vector<double> values, std::int64_t width) {
  return at::tensor(values, at::kDouble).view({1, 1, -1, width});
}
double score(std::string_view name, const at::Tensor& map, const at::Tensor& truth) {
  return truth_score(name).compute(map, truth).item<double>();
}

TEST(TruthScores, TheTopPixelsAreTheLargestInSize) {
  const at::Tensor truth = map_of({1, 1, 0, 0, 0, 0}, 3);
  EXPECT_EQ(score("precision", map_of({-5, 4, 3, 0, 0, 0}, 3), truth), 1);
  EXPECT_EQ(score("precision", map_of({5, 0, -6, 1, 0, 0}, 3), truth), 0.5);
  EXPECT_EQ(score("precision", map_of({0, 0, 2, 1, 0, 0}, 3), truth), 0);
}

TEST(TruthScores, EqualValuesShareThePlacesAndZerosGetNone) {
  const at::Tensor truth = map_of({1, 1, 0, 0, 0, 0}, 3);
  EXPECT_NEAR(score("precision", map_of({1, 1, 1, 1, 1, 1}, 3), truth), 2.0 / 6, 1e-12);
  EXPECT_NEAR(score("precision", map_of({9, 1, 1, 1, 0, 0}, 3), truth), (1 + 1.0 / 3) / 2, 1e-12);
  EXPECT_EQ(score("precision", map_of({9, 0, 0, 0, 0, 0}, 3), truth), 0.5);
  EXPECT_EQ(score("precision", map_of({0, 0, 0, 0, 0, 0}, 3), truth), 0);
}

TEST(TruthScores, Shares) {
  const at::Tensor truth = map_of({0.75, 0.25, 0, 0}, 2);
  EXPECT_NEAR(score("overlap", map_of({3, -1, 0, 0}, 2), truth), 1, 1e-12);
  EXPECT_NEAR(score("overlap", map_of({1, 1, 1, 1}, 2), truth), 0.5, 1e-12);
  EXPECT_EQ(score("overlap", map_of({0, 0, 0, 0}, 2), truth), 0);
  EXPECT_NEAR(score("outside", map_of({1, 1, -1, 1}, 2), truth), 0.5, 1e-12);
  EXPECT_EQ(score("outside", map_of({1, 1, 0, 0}, 2), truth), 0);
  EXPECT_NEAR(score("localization", map_of({3, -9, 1, -1}, 2), truth), 0.75, 1e-12);
}

TEST(TruthScores, MovingAllOfOnePixel) {
  const at::Tensor from = at::zeros({4, 5}, at::kDouble), to = at::zeros({4, 5}, at::kDouble);
  from[0][0].fill_(7);
  to[3][4].fill_(2);
  EXPECT_NEAR(transport_distance(from, to), 5, 1e-12);
  EXPECT_EQ(transport_distance(from, from), 0);
  EXPECT_TRUE(std::isnan(transport_distance(at::zeros({4, 5}), to)));
  EXPECT_EQ(score("transport", from.view({1, 1, 4, 5}), to.view({1, 1, 4, 5})), 0);  // from corner to corner
}

/// The least mean distance over all ways to pair equal heaps with equal places.
double by_brute_force(const std::vector<std::int64_t>& from, const std::vector<std::int64_t>& to,
                      std::int64_t width) {
  std::vector<std::size_t> order(to.size());
  std::iota(order.begin(), order.end(), 0);
  double best = 1e9;
  do {
    double sum = 0;
    for (std::size_t i = 0; i < from.size(); ++i) {
      const std::int64_t other = to[order[i]];
      sum += std::hypot(static_cast<double>(from[i] / width - other / width),
                        static_cast<double>(from[i] % width - other % width));
    }
    best = std::min(best, sum / static_cast<double>(from.size()));
  } while (std::next_permutation(order.begin(), order.end()));
  return best;
}

TEST(TruthScores, TransportIsTheCheapest) {
  constexpr std::int64_t side = 6;
  Generator generator = make_generator(4, "heaps");
  for (int round = 0; round < 30; ++round) {
    const at::Tensor order = at::randperm(side * side, generator, at::kLong);
    std::vector<std::int64_t> from, to;
    const at::Tensor map = at::zeros({side * side}, at::kDouble), places = at::zeros_like(map);
    for (std::int64_t i = 0; i < 6; ++i) {
      from.push_back(order[i].item<std::int64_t>());
      to.push_back(order[6 + i].item<std::int64_t>());
      map[from.back()].fill_(1);
      places[to.back()].fill_(1);
    }
    EXPECT_NEAR(transport_distance(map.view({side, side}), places.view({side, side})),
                by_brute_force(from, to, side), 1e-9);
  }
}

TEST(TruthScores, TransportOfUnequalHeapsIsSymmetric) {
  Generator generator = make_generator(5, "heaps");
  const at::Tensor a = at::rand({5, 5}, generator).to(at::kDouble),
                   b = (at::rand({5, 5}, generator) < 0.3).to(at::kDouble);
  EXPECT_NEAR(transport_distance(a, b), transport_distance(b, a), 1e-9);
  EXPECT_GT(transport_distance(a, b), 0);
}

TEST(TruthScores, UnknownNamesSuggestTheNearest) {
  EXPECT_TRUE(contains(usage_error_of([] { truth_score("precison"); }), "precision"));
  EXPECT_TRUE(contains(usage_error_of([] { truth_problem("intraction"); }), "interaction"));
}

}  // namespace
}  // namespace whence::attribution
