// Small inputs that users of other tools reported (shared/cases, or WHENCE_TEST_CASES): each is explained as in Python, or one sentence
// names the remedy. The kinds of trouble: tests/unit/models/foreign_test.cpp and tests/unit/data.
#include <cstdlib>

#include "cli/program.h"

namespace whence {
namespace {

using test::contains;
using test_support::is_error;
using test_support::Outcome;
using test_support::Workplace;
namespace fs = std::filesystem;

fs::path folder_of_cases() {
  const char* own = std::getenv("WHENCE_TEST_CASES");
  return own != nullptr && *own != '\0' ? fs::path(own)
                                        : fs::path(WHENCE_SHARED_DATA).parent_path() / "cases";
}

class Cases : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!fs::exists(folder_of_cases() / "README.md"))
      GTEST_SKIP() << "the cases do not lie in " << folder_of_cases()
                   << "; name their folder in WHENCE_TEST_CASES";
    fs::copy(folder_of_cases(), workplace_.path(), fs::copy_options::recursive);
  }
  Outcome attribute(const std::string& name, const std::vector<std::string>& more = {}) const {
    std::vector<std::string> arguments = {"attribute", "--classifier", name + ".pt", "--picture",
                                          "p.png",     "--input",      "3x2x2",      "--patch",
                                          "2",         "--method",     "gradient",   "--json"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return workplace_.run(arguments);
  }
  double score(const std::string& name, const std::vector<std::string>& more = {}) const {
    const Outcome outcome = attribute(name, more);
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    return outcome.code == 0 ? nlohmann::json::parse(outcome.out)["images"][0]["score"].get<double>()
                             : std::nan("");
  }
  Outcome data(const std::string& folder, const std::vector<std::string>& more = {}) const {
    std::vector<std::string> arguments = {"attribute", "--classifier", "two.pt", "--data",
                                          folder,      "--patch",      "2",      "--method",
                                          "gradient",  "--json"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return workplace_.run(arguments);
  }

  Workplace workplace_;
};

TEST_F(Cases, AreExplainedAsInPython) {
  const double mean = score("unflattened");
  EXPECT_TRUE(std::isfinite(score("view")));
  EXPECT_NEAR(score("in_place"), -0.051, 1e-3);
  EXPECT_NEAR(score("in_place_opaque"), score("out_of_place_opaque"), 1e-6);
  EXPECT_NEAR(score("detach"), 2 * mean, 1e-4);
  EXPECT_TRUE(std::isfinite(score("one_logit")));
  EXPECT_TRUE(std::isfinite(score("half")));
  EXPECT_NEAR(score("dict", {"--output", "logits"}), mean, 1e-6);
  EXPECT_TRUE(std::isfinite(score("sigmoids", {"--label", "1"})));
  EXPECT_TRUE(std::isfinite(score("sigmoids", {"--classifier-output", "logits"})));
}

TEST_F(Cases, ADetachedPartGetsNoGradient) {
  ASSERT_EQ(attribute("detach", {"--out", "maps"}).code, 0);
  const fs::path maps = workplace_ / "maps/attributions.safetensors";
  EXPECT_TRUE(fs::exists(maps));
}

TEST_F(Cases, AreRefusedInOneSentenceWithARemedy) {
  EXPECT_TRUE(is_error(attribute("dropout"), 1, "(return F.dropout("));
  EXPECT_TRUE(is_error(attribute("dropout"), 1, "model.eval()"));
  EXPECT_TRUE(is_error(attribute("softmax0"), 1, "softmax over dimension 1"));
  EXPECT_TRUE(is_error(attribute("softmax0", {"--picture", "g.png"}), 1, "softmax over dimension 1"));
  EXPECT_TRUE(is_error(attribute("sigmoids"), 1, "--label 0 to 2"));
  EXPECT_TRUE(is_error(attribute("dict"), 1, "'logits' with --output NAME"));
  EXPECT_TRUE(is_error(attribute("cuda"), 1, "export it on the processor"));
  EXPECT_TRUE(is_error(attribute("no_grad"), 1, "methods that need none still work"));
}

TEST_F(Cases, WhatNeedsNoGradientStillWorks) {
  const Outcome outcome =
      workplace_.run({"attribute", "--classifier", "no_grad.pt", "--picture", "p.png", "--input", "3x2x2",
                      "--patch", "2", "--method", "occlusion", "--occlusion-window", "1", "--json"});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
}

TEST_F(Cases, ASweepOfAModuleThatWritesIntoItsInput) {
  const auto sweep = [&](const std::string& classifier) {
    return nlohmann::json::parse(
        workplace_
            .must_run({"sweep", "--classifier", classifier, "--encoder", "encoder.pt", "--decoder",
                       "decoder.pt", "--latents", "2", "--causal", "1", "--picture", "p.png", "--out",
                       "sweeps", "--json"})
            .out);
  };
  const nlohmann::json in_place = sweep("in_place_opaque.pt"), apart = sweep("out_of_place_opaque.pt");
  for (std::size_t i = 0; i < apart.size(); ++i)
    EXPECT_EQ(in_place[i]["probabilities"], apart[i]["probabilities"]);
}

TEST_F(Cases, PicturesAndSetsAreRead) {
  const Outcome jpeg = workplace_.run({"attribute", "--classifier", "two.pt", "--picture", "extraneous.jpg",
                                       "--input", "3x2x2", "--patch", "2", "--method", "gradient"});
  EXPECT_EQ(jpeg.code, 0) << jpeg.err;
  for (const char* folder : {"idx_nhwc", "nested", "train_val", "idx_dot"}) {
    const Outcome outcome = data(folder, {"--count", "0"});
    EXPECT_EQ(outcome.code, 0) << folder << ": " << outcome.err;
  }
  EXPECT_TRUE(contains(data("train_val").err, "val serves as test"));
  EXPECT_TRUE(is_error(data("idx_from_1"), 1, "--classes 1,2"));
  EXPECT_EQ(data("idx_from_1", {"--classes", "1,2"}).code, 0);
}

}  // namespace
}  // namespace whence
