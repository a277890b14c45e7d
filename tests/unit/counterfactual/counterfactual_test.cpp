// Counterfactuals where the nearest point of another class is known in closed form.
#include "whence/explain/counterfactual/counterfactual.h"

#include <gtest/gtest.h>

#include "unit/counterfactual/flat_models.h"
#include "whence/core/error.h"

namespace whence::counterfactual {
namespace {

using at::Tensor;

/// Class 1 where `score` is above 0.
OfCode binary(const OfCode::Function& score) {
  return {2, [score](const Tensor& z) {
            const Tensor s = score(z);
            return at::stack({at::zeros_like(s), s}, 1);
          }};
}

constexpr double kTolerance = 2e-3;

class LinearLogistic : public ::testing::TestWithParam<std::int64_t> {};

TEST_P(LinearLogistic, TheMoveIsTheProjectionOnTheDecisionPlane) {
  const std::int64_t causal = GetParam(), latents = causal + 2;
  const Tensor weight = at::tensor({1.5F, -0.8F, 0.6F, 0.4F, -0.7F, 0.5F}).narrow(0, 0, latents).contiguous();
  const auto score = [&](const Tensor& z) { return z.matmul(weight) + 0.3; };
  const Tensor codes = normal_codes(60, latents);
  const Counterfactuals result =
      find_counterfactuals(Identity(latents), binary(score), codes, causal, {.radius = 20});

  const Tensor w = weight.narrow(0, 0, causal);
  const Tensor move = -(score(codes) / w.square().sum()).unsqueeze(1) * w;
  ASSERT_TRUE(result.found.all().item<bool>());
  EXPECT_LT(largest(result.distance - move.norm(2, 1)), kTolerance);
  // Turning a ray by a small angle costs its square: the direction is known less well than the length.
  EXPECT_LT(largest(result.move - move), causal == 1 ? kTolerance : 0.15);
  EXPECT_TRUE(result.to.ne(result.from).all().item<bool>());
  EXPECT_TRUE(at::equal(result.moved().narrow(1, causal, 2), codes.narrow(1, causal, 2)));
  EXPECT_LT(largest(result.distance - result.move.norm(2, 1)), 1e-5);
}

TEST_P(LinearLogistic, AProbabilityIsReachedAndNotPassed) {
  const std::int64_t causal = GetParam(), latents = causal + 1;
  const auto score = [](const Tensor& z) { return 2 * z.select(1, 0) + z.select(1, z.size(1) - 1); };
  const Tensor codes = normal_codes(30, latents);
  const Counterfactuals result = find_counterfactuals(Identity(latents), binary(score), codes, causal,
                                                      {.probability = 0.9, .radius = 20});
  const Tensor expected = (score(codes).abs() + std::log(9.0)) / 2;
  ASSERT_TRUE(result.found.all().item<bool>());
  EXPECT_LT(largest(result.distance - expected), kTolerance);
  EXPECT_GE(result.after.amax(1).min().item<double>(), 0.9 - 1e-6);
}

INSTANTIATE_TEST_SUITE_P(CausalFactors, LinearLogistic, ::testing::Values(1, 2, 3, 4));

/// Three sectors of the plane; class y where z points towards the y-th of three directions.
OfCode sectors() {
  return {
      3, [](const Tensor& z) {
        const Tensor directions = at::tensor({1.F, 0.F, -0.5F, 0.8660254F, -0.5F, -0.8660254F}).view({3, 2});
        return 4 * z.narrow(1, 0, 2).matmul(directions.t());
      }};
}

TEST(Counterfactual, AClassThatIsAskedForIsTheClassThatComes) {
  const Tensor codes = at::tensor({1.F, 0.4F, 1.F, -0.2F, -0.5F, 0.9F}).view({3, 2});
  const Counterfactuals result =
      find_counterfactuals(Identity(2), sectors(), codes, 2, {.to = 1, .radius = 6});
  EXPECT_FALSE(result.already[0].item<bool>());
  EXPECT_TRUE(result.already[2].item<bool>());
  EXPECT_FALSE(result.found[2].item<bool>());
  EXPECT_EQ(result.to[0].item<std::int64_t>(), 1);
  EXPECT_EQ(result.to[1].item<std::int64_t>(), 1);
  // The border between classes 0 and 1 is the line at 60 degrees.
  const auto to_line = [](double x, double y) { return std::abs(0.8660254 * x - 0.5 * y); };
  EXPECT_NEAR(result.distance[0].item<double>(), to_line(1, 0.4), kTolerance);
  EXPECT_NEAR(result.distance[1].item<double>(), to_line(1, -0.2), kTolerance);
  const CounterfactualSummary summary = summarise(result);
  EXPECT_EQ(summary.asked, 2);
  EXPECT_EQ(summary.flip_rate, 1);
  ASSERT_EQ(summary.changes.size(), 1u);
  EXPECT_EQ(summary.changes[0].images, 2);
}

TEST(Counterfactual, TheNearestOfAllOtherClassesIsTakenWhenNoneIsAskedFor) {
  const Tensor codes = at::tensor({1.F, 0.4F, 1.F, -0.4F}).view({2, 2});
  const Counterfactuals result = find_counterfactuals(Identity(2), sectors(), codes, 2, {});
  EXPECT_EQ(result.to[0].item<std::int64_t>(), 1);
  EXPECT_EQ(result.to[1].item<std::int64_t>(), 2);
  EXPECT_NEAR(result.distance[0].item<double>(), 0.8660254 - 0.2, kTolerance);
}

TEST(Counterfactual, WhatCannotBeReachedIsReportedAsSuch) {
  const OfCode never(3, [](const Tensor& z) {
    const Tensor x = z.select(1, 0);
    return at::stack({x, -x, at::full_like(x, -50)}, 1);
  });
  const Counterfactuals result = find_counterfactuals(Identity(3), never, normal_codes(20, 3), 2, {.to = 2});
  EXPECT_FALSE(result.found.any().item<bool>());
  EXPECT_TRUE(result.distance.isinf().all().item<bool>());
  EXPECT_EQ(largest(result.move), 0);
  EXPECT_TRUE(at::equal(result.to, result.from));
  const nlohmann::json json = to_json(summarise(result), {"a", "b", "c"});
  EXPECT_EQ(json["flip_rate"], 0);
  EXPECT_EQ(json["asked"], 20);
  EXPECT_FALSE(json.contains("distance"));
  EXPECT_FALSE(json.contains("agreement"));
}

TEST(Counterfactual, TheSearchStaysWithinItsRadius) {
  const auto beyond = binary([](const Tensor& z) { return z.select(1, 0) - 3; });
  const Tensor code = at::tensor({0.5F, 0.F}).view({1, 2});
  for (const std::int64_t causal : {1, 2}) {
    EXPECT_FALSE(
        find_counterfactuals(Identity(2), beyond, code, causal, {.radius = 2.95}).found.item<bool>());
    const Counterfactuals found = find_counterfactuals(Identity(2), beyond, code, causal, {.radius = 3.02});
    ASSERT_TRUE(found.found.item<bool>());
    EXPECT_NEAR(found.distance.item<double>(), 2.5, kTolerance);
  }
  // A code that lies farther out may stay there.
  const Tensor far = at::tensor({5.F, 0.F}).view({1, 2});
  const auto upward = binary([](const Tensor& z) { return z.select(1, 1) - 2; });
  const Counterfactuals found = find_counterfactuals(Identity(2), upward, far, 2, {.radius = 4});
  ASSERT_TRUE(found.found.item<bool>());
  EXPECT_LE(found.moved().norm().item<double>(), 5 + 1e-4);
}

TEST(Counterfactual, OneFactorIsScannedExactlyPastANearerIsland) {
  // Class 1 below -1 and in a stretch of 0.2 around 0.8: no gradient at 0 points there.
  const auto island = binary([](const Tensor& z) {
    const Tensor x = z.select(1, 0);
    return at::maximum(-1 - x, 0.1 - (x - 0.8).abs());
  });
  const Counterfactuals result =
      find_counterfactuals(Identity(1), island, at::tensor({0.F, -0.35F}).view({2, 1}), 1, {});
  EXPECT_NEAR(result.move[0].item<double>(), 0.7, kTolerance);
  EXPECT_NEAR(result.move[1].item<double>(), -0.65, kTolerance);
}

TEST(Counterfactual, ACurvedBoundaryIsMetAtItsNearestPoint) {
  // A ball of radius 0.6 around a centre that no fixed ray hits in its middle.
  for (const std::int64_t causal : {2, 3, 4}) {
    Tensor centre = at::zeros({causal});
    centre[0] = 1.3;
    centre[1] = 0.9;
    const auto ball =
        binary([&](const Tensor& z) { return 0.36 - (z - centre.unsqueeze(0)).square().sum(1); });
    const Tensor codes = 0.2 * normal_codes(10, causal);
    const Counterfactuals result = find_counterfactuals(Identity(causal), ball, codes, causal, {});
    ASSERT_TRUE(result.found.all().item<bool>()) << causal;
    const Tensor expected = (codes - centre).norm(2, 1) - 0.6;
    EXPECT_LT(largest(result.distance - expected), 5e-3) << causal;
  }
}

TEST(Counterfactual, WithoutGradientsTheFixedRaysRemain) {
  class Silent final : public models::Decoder {
   public:
    Tensor decode(const Tensor& z) const override { return z.detach().view({-1, 1, 1, 2}); }
    std::int64_t latents() const override { return 2; }
  };
  const Tensor codes = normal_codes(30, 2);
  const auto plane = binary([](const Tensor& z) { return z.matmul(at::tensor({1.1F, 0.7F})) - 0.2; });
  const Counterfactuals exact = find_counterfactuals(Identity(2), plane, codes, 2, {});
  const Counterfactuals rough = find_counterfactuals(Silent(), plane, codes, 2, {});
  ASSERT_TRUE(rough.found.all().item<bool>());
  EXPECT_TRUE(rough.distance.ge(exact.distance - kTolerance).all().item<bool>());
  // Of 16 rays one is within 11.25 degrees of the shortest way.
  EXPECT_TRUE(rough.distance.le(exact.distance / 0.98 + 2 * kTolerance).all().item<bool>());
}

TEST(Counterfactual, ImagesBringTheirOwnClass) {
  // Reconstructions lose the sign of half of the images.
  class Lossy final : public models::Encoder {
   public:
    models::Posterior encode(const Tensor& x) const override {
      return {x.flatten(1).abs(), at::zeros({x.size(0), 1})};
    }
    std::int64_t latents() const override { return 1; }
  };
  const Tensor images = at::tensor({-1.F, -2.F, 1.F, 2.F, 3.F}).view({5, 1, 1, 1});
  const auto sign = binary([](const Tensor& z) { return z.select(1, 0); });
  const Counterfactuals result = explain_counterfactually(Lossy(), Identity(1), sign, images, 1, {});
  const CounterfactualSummary summary = summarise(result);
  EXPECT_DOUBLE_EQ(summary.agreement, 0.6);
  EXPECT_EQ(summary.asked, 5);
  EXPECT_DOUBLE_EQ(summary.flip_rate, 1);
  const nlohmann::json json = to_json(summary, {"minus", "plus"});
  EXPECT_NEAR(json["distance"]["q50"].get<double>(), 2, kTolerance);
  EXPECT_NEAR(json["distance"]["max"].get<double>(), 3, kTolerance);
  EXPECT_EQ(json["changes"][0]["from"], "plus");
  EXPECT_EQ(json["changes"][0]["to"], "minus");
  EXPECT_EQ(json["changes"].size(), 1u);
}

TEST(Counterfactual, TheSearchIsDeterministic) {
  const Tensor codes = normal_codes(40, 2);
  const Counterfactuals a = find_counterfactuals(Identity(2), sectors(), codes, 2, {});
  const Counterfactuals b = find_counterfactuals(Identity(2), sectors(), codes, 2, {});
  EXPECT_TRUE(at::equal(a.move, b.move));
}

TEST(Counterfactual, QuestionsWithoutAnAnswerAreRefused) {
  const Tensor codes = normal_codes(2, 2);
  const auto refused = [&](std::int64_t causal, const CounterfactualOptions& options) {
    try {
      find_counterfactuals(Identity(2), sectors(), codes, causal, options);
    } catch (const Error& error) {
      return error.code() == ExitCode::usage;
    }
    return false;
  };
  EXPECT_TRUE(refused(0, {}));
  EXPECT_TRUE(refused(3, {}));
  EXPECT_TRUE(refused(2, {.to = 3}));
  EXPECT_TRUE(refused(2, {.probability = 1}));
  EXPECT_TRUE(refused(2, {.radius = 0}));
  EXPECT_TRUE(refused(2, {.step = -1}));
  EXPECT_TRUE(refused(2, {.tolerance = 0}));
}

}  // namespace
}  // namespace whence::counterfactual
