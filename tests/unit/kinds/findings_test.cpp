// What the first screen of the report says about given metrics.
#include "kinds/gce/findings.h"
#include "kinds/generator/image_model.h"

#include "kinds/counterfactual/counterfactual.h"

#include "unit/experiment/support.h"
#include "unit/kinds/support.h"

namespace whence::kinds {
namespace {

using whence::test::contains;

nlohmann::json metrics(double alpha, double largest_beta, double beta = 0.02) {
  return nlohmann::json::parse(fmt::format(
      R"({{"gce": {{
            "test": {{"sse": 14.8, "kl": 7.4}},
            "information_flow": {{
              "alpha": {{"nats": {}, "se": 0.002}}, "beta": {{"nats": {}, "se": 0.001}},
              "factors": [{{"name": "alpha_1", "causal": true, "nats": 0.5, "se": 0.01}},
                          {{"name": "alpha_2", "causal": true, "nats": 0.6, "se": 0.01}},
                          {{"name": "beta_1", "causal": false, "nats": 0.001, "se": 0.001}},
                          {{"name": "beta_2", "causal": false, "nats": {}, "se": 0.001}}],
              "most_possible": 1.0986, "samples": [200, 200]}},
            "ablation": {{"original": 0.956, "reencoded": 0.856, "samples": 1000,
                          "replaced": {{"alpha_1": 0.523, "alpha_2": 0.555, "beta_1": 0.855, "beta_2": 0.852}}}}}}}})",
      alpha, beta, largest_beta));
}

TEST(Findings, ReadTheExtremes) {
  const Findings findings = findings_of(metrics(1.069, 0.0101));
  EXPECT_EQ(findings.causal.front().factor, "alpha_2");
  EXPECT_EQ(findings.largest_other.factor, "beta_2");
  EXPECT_EQ(findings.alpha_kept.factor, "alpha_2");
  EXPECT_EQ(findings.beta_kept.factor, "beta_2");
  EXPECT_NEAR(findings.share(), 0.973, 1e-3);
}

TEST(Findings, AGoodExplanationIsCalledOne) {
  const std::string text = answer(findings_of(metrics(1.069, 0.0101)));
  EXPECT_TRUE(contains(text, "**alpha_2 and alpha_1 move this classifier**"));
  EXPECT_TRUE(contains(text, "1.069 ± 0.004 of the 1.099 nats that are possible (97 %)"));
  EXPECT_TRUE(contains(text, "**The other factors do not**: the largest, beta_2, carries 0.0101 nats."));
  EXPECT_TRUE(contains(text, "costs at least 30.1 points, any other at most 0.4"));
}

TEST(Findings, ManySmallLeaksAreNotHidden) {
  const std::string text = answer(findings_of(metrics(0.9, 0.0101, 0.15)));
  EXPECT_TRUE(contains(text,
                       "**No other factor does by itself**: the largest, beta_2, carries 0.0101 nats; all of "
                       "them together carry 0.150."));
}

TEST(Findings, ABadExplanationIsNotCalledAGoodOne) {
  const Findings findings = findings_of(metrics(0.3, 0.2));
  EXPECT_TRUE(contains(answer(findings), "only in part"));
  EXPECT_TRUE(contains(answer(findings), "leaks into the other factors"));
  EXPECT_EQ(headlines(findings)[0].mood, report::Headline::Mood::bad);
  EXPECT_EQ(headlines(findings)[1].mood, report::Headline::Mood::bad);
}

TEST(Findings, AnAlphaThatDoesNothingIsNotSaidToMoveInPart) {
  nlohmann::json idle = metrics(0.001, 0.001);
  idle["gce"]["ablation"]["replaced"]["alpha_1"] = 0.857;
  const Findings findings = findings_of(idle);
  EXPECT_TRUE(contains(answer(findings), "**alpha_2 and alpha_1 do not move this classifier**"));
  EXPECT_FALSE(contains(answer(findings), "only in part"));
  // Chance makes noise seem to help; the number and the sentence say the same of it.
  EXPECT_TRUE(contains(answer(findings), "costs at least 0.0 points"));
  EXPECT_EQ(headlines(findings)[2].value, "0.0 points");
}

/// A third of three classes is right by guessing.
TEST(Findings, ImagesThatDoNotComeBackAreCalledThat) {
  nlohmann::json poor = metrics(1.069, 0.0101);
  const auto says_so = [&] {
    const Findings findings = findings_of(poor);
    const bool bad = headlines(findings)[3].mood == report::Headline::Mood::bad;
    EXPECT_EQ(contains(answer(findings), "**Many reconstructions lose their image's answer**"), bad);
    return bad;
  };
  EXPECT_FALSE(says_so());
  poor["gce"]["ablation"]["reencoded"] = 0.66;
  EXPECT_FALSE(says_so());
  poor["gce"]["ablation"]["reencoded"] = 0.63;
  EXPECT_TRUE(says_so());
  EXPECT_TRUE(
      contains(answer(findings_of(poor)), "re-encoded, test images keep 63.0 % accuracy (originals 95.6 %)"));
}

TEST(Findings, ImagesAreHeldToTheBestLinearModel) {
  nlohmann::json gce = metrics(1.0, 0.01)["gce"];  // SSE + KL = 22.2
  EXPECT_EQ(image_model_paragraphs(gce).size(), 1u);
  EXPECT_TRUE(contains(image_model_paragraphs(gce).at(0), "together **22.20**"));
  gce["linear"] = {{"sse", 18.5}, {"kl", 8.25}, {"used", 5}};
  const std::string better = image_model_paragraphs(gce).at(1);
  EXPECT_TRUE(contains(better, "5 are worth their code"));
  EXPECT_TRUE(contains(better, "together 26.75. The network's images are better than that."));
  gce["linear"]["sse"] = 10.0;
  EXPECT_TRUE(contains(image_model_paragraphs(gce).at(1),
                       "together 18.25. The network is worse: more steps or a larger lambda"));
  gce.erase("information_flow");  // an autoencoder alone
  EXPECT_TRUE(contains(image_model_paragraphs(gce).at(1), "more steps should help"));
}

const std::string& first_of(const report::Section& section) { return section.paragraphs.front(); }

TEST(Findings, CounterfactualsInWords) {
  const nlohmann::json found = nlohmann::json::parse(
      R"({"images": 500, "asked": 498, "flip_rate": 0.994, "flip_rate_se": 0.0035, "agreement": 0.893, "radius": 4,
          "distance": {"mean": 0.6, "q05": 0.1, "q25": 0.2, "q50": 0.47, "q75": 0.8, "q95": 1.33, "max": 1.95},
          "changes": [{"from": "Coat", "to": "Dress", "images": 495, "median": 0.46}]})");
  const report::Section section = counterfactual_section(found);
  EXPECT_TRUE(contains(first_of(section), "**99.4 % ± 0.7 % of 498 test images**"));
  EXPECT_TRUE(contains(section.paragraphs[1], "shorter than 0.47"));
  EXPECT_TRUE(contains(section.paragraphs[2], "For 89.3 % of the images"));
  EXPECT_EQ(section.tables[0].rows[0], (std::vector<std::string>{"Coat", "Dress", "495", "0.46"}));

  const nlohmann::json none = nlohmann::json::parse(
      R"({"images": 9, "asked": 9, "flip_rate": 0, "flip_rate_se": 0, "agreement": 1, "radius": 4, "changes": []})");
  EXPECT_TRUE(contains(first_of(counterfactual_section(none)), "**0.0 %"));
  EXPECT_TRUE(counterfactual_section(none).tables.empty());
}

TEST(Findings, BrightnessIsATableOfBothKinds) {
  const report::Table table = brightness_table(nlohmann::json::parse(
      R"({"draws": 2000, "factors": [{"name": "alpha_1", "encoded": 0.981, "generated": -0.953}]})"));
  ASSERT_EQ(table.rows.size(), 1u);
  EXPECT_EQ(table.rows[0], (std::vector<std::string>{"alpha_1", "0.98", "-0.95"}));
  EXPECT_TRUE(contains(table.caption, "2000 generated images"));
}

TEST(Findings, TrustIsSaidOnlyWhereItWasShown) {
  nlohmann::json trust = nlohmann::json::parse(
      R"({"leak": {"value": 0.002, "se": 0.001}, "reencoding": {"value": 0.893, "se": 0.009, "images": 1167},
          "randomization": {"passed": true, "alpha_share": {"value": 0.998, "se": 0.002},
                            "randomized_share": {"value": 0.31, "se": 0.05}, "correlation": 0.12,
                            "randomized": [{}, {}, {}]}})");
  const auto text = [&] {
    std::string all;
    for (const std::string& paragraph : trust_section(trust).paragraphs) all += paragraph + "\n";
    return all;
  };
  EXPECT_TRUE(contains(text(), "**Alpha carries the flow.**"));
  EXPECT_TRUE(contains(text(), "0.2 ± 0.2 %"));
  EXPECT_TRUE(contains(text(), "**The explanation is about this classifier.** 3 classifiers"));
  EXPECT_TRUE(contains(text(), "was not compared"));
  trust["leak"]["value"] = 0.2;
  trust["randomization"]["passed"] = false;
  trust["seeds"] = nlohmann::json::parse(
      R"({"alpha": [{"factor": "alpha_1", "other": "alpha_2", "correlation": 0.71}], "beta": [],
          "alpha_mean": 0.71, "alpha_subspace": 0.95})");
  EXPECT_TRUE(contains(text(), "**Some of the flow is in beta.**"));
  EXPECT_TRUE(contains(text(), "The explanation may not be about this classifier"));
  EXPECT_TRUE(contains(text(), "**Another training finds the same causes.**"));
  EXPECT_EQ(trust_section(trust).tables[0].rows.size(), 1u);
  trust["randomization"] = {{"left_out", "there are no other factors"}};
  EXPECT_TRUE(contains(text(), "were not tried: there are no other factors"));
}

/// A share of nothing is no number, and is not in metrics.json.
TEST(Findings, NothingThatMovesIsSaidSo) {
  const nlohmann::json trust = nlohmann::json::parse(
      R"({"leak": {}, "reencoding": {"value": 0.5, "se": 0.1, "images": 200},
          "randomization": {"passed": false, "alpha_share": {}, "randomized_share": {"value": 0.5, "se": 0.1},
                            "correlation": 0.1, "randomized": [{}]}})");
  EXPECT_EQ(first_of(trust_section(trust)), "Nothing moves the classifier, neither alpha nor beta.");
  nlohmann::json still = metrics(-0.0001, -0.0002, -0.0003);
  EXPECT_TRUE(std::isnan(findings_of(still).noncausal_share));
  EXPECT_FALSE(answer(findings_of(still)).empty());
}

}  // namespace
}  // namespace whence::kinds
