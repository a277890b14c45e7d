// Problems whose answer is known: is it really? And do the methods that must find it do so?
#include <gtest/gtest.h>

#include <set>

#include "whence/explain/attribution/truth.h"

namespace whence::attribution {
namespace {

TruthCase make(std::string_view name, std::int64_t images = 20) {
  return *truth_problem(name).make({.images = images, .seed = 1});
}

at::Tensor score_of(const TruthCase& made, const at::Tensor& images) {
  return scores_of(*made.classifier, images, made.target, Score::logit);
}

/// Of the named methods; the first score of the problem, mean over the images.
std::map<std::string, double> scores_on(std::string_view problem, std::vector<std::string> names = {}) {
  std::vector<const Method*> chosen;
  for (const std::string& name : names) chosen.push_back(&method(name));
  const auto trial = try_methods(truth_problem(problem), chosen, {.images = 40}, {});
  std::map<std::string, double> found;
  for (const TruthResult& each : trial->methods) {
    EXPECT_EQ(each.left_out, "");
    found[std::string(each.method->name)] = each.scores.front().mean().item<double>();
  }
  found["random"] = trial->random.scores.front().mean().item<double>();
  return found;
}

TEST(Truth, SettingsNameOptions) {
  std::set<std::string_view> known = {"baseline"};
  for (const Method& method : methods())
    for (const Option& option : method.options) known.insert(option.name);
  for (const TruthProblem& problem : truth_problems()) {
    for (const OptionSetting& setting : problem.settings) EXPECT_TRUE(known.contains(setting.option));
    for (const std::string_view score : problem.scores) EXPECT_NO_THROW(truth_score(score));
  }
}

/// Shapley's formula for two players, with the classifier itself.
TEST(Truth, HandWrittenNetworksHaveTheseShapleyValues) {
  for (const std::string_view name : {"interaction", "cancellation", "saturation"}) {
    const TruthCase made = make(name);
    const at::Tensor places = (made.truth.sum({0, 1}) > 0).nonzero();
    at::Tensor only = at::zeros_like(made.truth);
    const auto with = [&](bool a, bool b) {
      at::Tensor x = at::zeros_like(made.images);
      if (a) x.select(2, 1).select(2, 1).copy_(made.images.select(2, 1).select(2, 1));
      if (b) x.select(2, 2).select(2, 2).copy_(made.images.select(2, 2).select(2, 2));
      return score_of(made, x);
    };
    const at::Tensor of_a =
        (with(true, false) - with(false, false) + with(true, true) - with(false, true)) / 2;
    const at::Tensor of_b =
        (with(false, true) - with(false, false) + with(true, true) - with(true, false)) / 2;
    only.select(2, 1).select(2, 1).copy_(of_a.unsqueeze(1));
    only.select(2, 2).select(2, 2).copy_(of_b.unsqueeze(1));
    EXPECT_TRUE(at::allclose(made.truth, only, 0, 1e-6)) << name;
    // Nothing else matters.
    EXPECT_TRUE(at::allclose(score_of(made, made.images), with(true, true), 0, 1e-6)) << name;
    EXPECT_LE(places.size(0), 2) << name;
  }
}

TEST(Truth, CellsAreDisconnected) {
  const TruthCase made = make("cells");
  const at::Tensor others = at::where(made.truth > 0, made.images, 1 - made.images);
  EXPECT_TRUE(at::equal(score_of(made, others), score_of(made, made.images)));
  const at::Tensor own = at::where(made.truth > 0, 1 - made.images, made.images);
  EXPECT_TRUE((score_of(made, own) - score_of(made, made.images)).abs().gt(1e-3).all().item<bool>());
}

TEST(Truth, RelevanceStaysInsideTheCell) {
  std::vector<std::string> names;
  for (const Method& method : methods())
    if (method.name.starts_with("lrp_") || method.name.ends_with("excitation_backprop") ||
        method.name == "guided_backprop" || method.name == "deconvnet" ||
        method.name.starts_with("deep_lift"))
      names.emplace_back(method.name);
  ASSERT_GE(names.size(), 10U);
  for (const auto& [name, share] : scores_on("cells", names))
    if (name != "random") {
      EXPECT_LE(share, 1e-6) << name;
    }
}

TEST(Truth, TheDecoyIsWhatTheClassifierReads) {
  const TruthCase made = make("decoy", 100);
  EXPECT_GT(made.accuracy, 0.97);
  const at::Tensor answers = answers_to(*made.classifier, made.images);
  EXPECT_TRUE(at::equal(answers, made.target));
  // The corner of an image of the other class turns the answer; all else of it does not.
  const at::Tensor other = made.images.flip(0), differs = made.target != made.target.flip(0);
  const at::Tensor corner = at::where(made.truth > 0, other, made.images),
                   rest = at::where(made.truth > 0, made.images, other);
  const auto kept = [&](const at::Tensor& images) {
    const at::Tensor same = (answers_to(*made.classifier, images) == made.target).to(at::kDouble);
    return same.masked_select(differs).mean().item<double>();
  };
  ASSERT_TRUE(differs.any().item<bool>());
  EXPECT_LT(kept(corner), 0.05);
  EXPECT_GT(kept(rest), 0.95);
}

TEST(Truth, LettersAreWhereTheTruthSays) {
  const TruthCase turned = make("rotated");
  EXPECT_TRUE((turned.truth.sum({1, 2, 3}) == 4).all().item<bool>());
  const TruthCase fixed = make("linear");
  EXPECT_TRUE((fixed.truth.sum({1, 2, 3}) == 8).all().item<bool>());
  EXPECT_GT(fixed.accuracy, 0.85);
  // The letter is bright: its pixels are brighter in images of its class.
  const at::Tensor first = fixed.images.index_select(0, (fixed.target == 0).nonzero().flatten()).mean(0)[0];
  const at::Tensor second = fixed.images.index_select(0, (fixed.target == 1).nonzero().flatten()).mean(0)[0];
  EXPECT_GT((first - second).slice(0, 1, 4).slice(1, 1, 3).max().item<double>(), 0.03);
  EXPECT_LT((first - second).slice(0, 4, 7).slice(1, 5, 7).min().item<double>(), -0.03);
}

TEST(Truth, TheLinearProblemIsSolved) {
  const auto scores = scores_on("linear", {"gradient", "integrated_gradients", "shapley_sampling"});
  EXPECT_GE(scores.at("gradient"), 0.9);
  // A linear function with a grey baseline: both are w (x - x').
  EXPECT_NEAR(scores.at("integrated_gradients"), scores.at("shapley_sampling"), 0.03);
  EXPECT_LT(scores.at("random"), 0.3);
}

TEST(Truth, SaturationHidesFromTheGradient) {
  const auto scores = scores_on("saturation", {"gradient", "integrated_gradients", "shapley_sampling"});
  EXPECT_EQ(scores.at("gradient"), 0);
  EXPECT_GT(scores.at("integrated_gradients"), 0.9);
  EXPECT_GT(scores.at("shapley_sampling"), 0.9);
}

TEST(Truth, WithoutPicturesThereIsNoGrid) {
  EXPECT_FALSE(truth_problem("grid").make({.images = 4}).has_value());
}

TEST(Truth, AMethodThatTheProblemCannotServeIsLeftOut) {
  const Method* const chosen[] = {&method("path_mask")};
  const auto trial = try_methods(truth_problem("interaction"), chosen, {.images = 4}, {});
  EXPECT_NE(trial->methods.front().left_out.find("generator"), std::string::npos);
}

}  // namespace
}  // namespace whence::attribution
