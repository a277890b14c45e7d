// The first sentences of a report about texts.
#include <gtest/gtest.h>

#include "kinds/gce/findings.h"
#include "kinds/text/text.h"
#include "support/errors.h"

namespace whence::kinds {
namespace {

using whence::test::contains;

nlohmann::json measured(double alpha, double beta, double flips, double reconstruction) {
  return {{"flow",
           {{"alpha", {{"nats", alpha}, {"se", 0.01}}},
            {"beta", {{"nats", beta}, {"se", 0.01}}},
            {"most", 0.693}}},
          {"flips", {{"mean", flips}}},
          {"words_kept", {{"reconstruction", {{"mean", reconstruction}}}, {"random", {{"mean", 0.05}}}}}};
}

TEST(TextAnswer, SaysWhetherAlphaMovesTheClassifier) {
  const std::string moved = text_answer(measured(0.47, 0.002, 0.99, 0.45));
  EXPECT_TRUE(contains(moved, "**Alpha moves this classifier**: it carries 0.470 ± 0.020 of the 0.693 nats"));
  EXPECT_TRUE(contains(moved, "99.0 % of the test texts"));
  EXPECT_FALSE(contains(moved, "does not know"));
}

TEST(TextAnswer, AFailureIsCalledOne) {
  const std::string failed = text_answer(measured(-0.0002, 0.16, 0.001, 0.08));
  EXPECT_TRUE(contains(failed, "**Alpha does not move this classifier**: it carries 0.000 ± "));
  EXPECT_TRUE(contains(failed, "**The generator does not know its texts**: a reconstruction shares 0.08"));
  // Flow without flips, and flips without flow, are no explanation.
  EXPECT_TRUE(contains(text_answer(measured(0.5, 0, 0.05, 0.45)), "does not move"));
  EXPECT_TRUE(contains(text_answer(measured(0.01, 0, 0.5, 0.45)), "does not move"));
}

TEST(TextAnswer, TellsOfSeveralAlphas) {
  nlohmann::json metrics = measured(0.47, 0.002, 0.99, 0.45);
  metrics["flips"]["of"] = {{{"name", "alpha_1"}}, {{"name", "alpha_2"}}};
  EXPECT_TRUE(contains(text_answer(metrics), "between -2 and +2 of an alpha."));
}

TEST(TextChecks, AreAboutTexts) {
  const nlohmann::json trust = {{"leak", {{"value", nullptr}, {"se", nullptr}}},
                                {"reencoding", {{"value", 0.5}, {"se", 0.1}, {"texts", 25}}},
                                {"randomization", {{"left_out", "the layers are unknown"}}}};
  std::string all;
  for (const std::string& paragraph : trust_section(trust, "text").paragraphs) all += paragraph + "\n";
  EXPECT_TRUE(contains(all,
                       "keep their text's answer:** 50.0 ± 19.6 % of 25 test texts. For the others, the "
                       "explanation is about a text that"));
  EXPECT_TRUE(contains(all, "Nothing moves the classifier"));
  EXPECT_EQ(all.find("image"), std::string::npos) << all;
}

}  // namespace
}  // namespace whence::kinds
