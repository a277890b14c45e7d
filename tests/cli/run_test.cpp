// whence run from recipe to report.
#include "cli/program.h"
#include "experiment/log.h"

namespace whence {
namespace {

using test::contains;
using test_support::is_error;
using test_support::Workplace;

class RunProgram : public ::testing::Test {
 protected:
  RunProgram() {
    test_support::write_squares(workplace_ / "recipes/tests/squares");
    write_file(workplace_ / "recipes/tests/left-right.toml", test_support::kSquaresRecipe);
  }

  nlohmann::json metrics(const std::string& run) const {
    return read_json(workplace_ / (run + "/metrics.json"));
  }

  Workplace workplace_;
  const std::string recipe_ = "recipes/tests/left-right.toml";
  const std::string run_ = "runs/tests/left-right";
};

TEST_F(RunProgram, GoesFromRecipeToReport) {
  const auto outcome = workplace_.must_run({"run", recipe_});
  EXPECT_EQ(outcome.out, run_ + "/report.html\n");
  for (const char* line :
       {"data: ", "classifier: ", "explanation: ", "evaluation: ", "figures: ", "report: "}) {
    EXPECT_TRUE(contains(outcome.err, line));
  }
  for (const std::string file :
       {"recipe.toml", "run.json", "metrics.json", "log.jsonl", "report.html", "classifier.safetensors",
        "encoder.safetensors", "decoder.safetensors", "figures/sweep-alpha_1.png",
        "figures/sweep-alpha_1.svg", "figures/sweep-beta_2.png", "figures/strip-alpha_1.svg",
        "figures/information-flow.png", "figures/ablation.svg", "figures/training.png",
        "figures/counterfactuals.png", "figures/reconstructions.svg"}) {
    EXPECT_GT(std::filesystem::file_size(workplace_ / (run_ + "/" + file)), 0u) << file;
  }
  EXPECT_FALSE(std::filesystem::exists(workplace_ / (run_ + "/figures/strip-beta_1.png")));
  const std::string report = read_file(workplace_ / (run_ + "/report.html"));
  EXPECT_TRUE(contains(report, "Left or right"));
  EXPECT_TRUE(contains(report, "this classifier"));
  EXPECT_TRUE(contains(report, "Checks"));
  EXPECT_TRUE(contains(report, "Counterfactuals"));
  const nlohmann::json record = read_json(workplace_ / (run_ + "/run.json"));
  for (const char* key : {"/whence", "/seed", "/machine/processor", "/machine/threads", "/machine/blas",
                          "/precision/chosen", "/precision/reason"}) {
    EXPECT_TRUE(record.contains(nlohmann::json::json_pointer(key))) << key;
  }
  const auto is = [&](const char* key, std::string_view word) {
    return contains(record["machine"][key].get<std::string>(), word);
  };
  EXPECT_FALSE(is("vector_extensions", "avx2") && is("blas", "Prescott")) << record["machine"];
}

// The classifier sees on which side the square is: one factor can carry log 2 nats, and nothing else matters.
TEST_F(RunProgram, FiftyStepsFindWhatMovesTheClassifier) {
  workplace_.must_run({"run", recipe_});
  const experiment::Curve curve = experiment::read_curve(workplace_ / (run_ + "/log.jsonl"), "explanation");
  EXPECT_EQ(curve.steps.size(), 50u);
  EXPECT_LT(curve.values.at("C").front(), 0.05);
  EXPECT_GT(curve.values.at("C").back(), 0.1);
  const nlohmann::json result = metrics(run_);
  EXPECT_GE(result["classifier"]["test_accuracy"], 0.95);
  EXPECT_GT(result["gce"]["information_flow"]["alpha"]["nats"], 0.4);
  EXPECT_LT(result["gce"]["information_flow"]["alpha"]["nats"], std::log(2.0) + 0.01);
  EXPECT_LT(result["gce"]["information_flow"]["beta"]["nats"], 0.1);
}

TEST_F(RunProgram, ASecondRunDoesNothing) {
  workplace_.must_run({"run", recipe_});
  const auto time = std::filesystem::last_write_time(workplace_ / (run_ + "/report.html"));
  const auto again = workplace_.must_run({"run", recipe_});
  EXPECT_EQ(again.out, run_ + "/report.html\n");
  EXPECT_EQ(std::filesystem::last_write_time(workplace_ / (run_ + "/report.html")), time);
  EXPECT_FALSE(contains(again.err, "begins"));
}

TEST_F(RunProgram, TheSameSeedGivesTheSameBits) {
  const auto train = [&](const std::string& out, const std::string& seed) {
    workplace_.must_run({"run", recipe_, "--out", out, "--set", "run.seed=" + seed, "--quiet"});
  };
  train("a", "7");
  train("b", "7");
  train("c", "8");
  EXPECT_EQ(test_support::without_costs(metrics("a")).dump(),
            test_support::without_costs(metrics("b")).dump());
  EXPECT_NE(test_support::without_costs(metrics("a")).dump(),
            test_support::without_costs(metrics("c")).dump());
  for (const std::string file : {"classifier", "encoder", "decoder"}) {
    EXPECT_EQ(read_file(workplace_ / ("a/" + file + ".safetensors")),
              read_file(workplace_ / ("b/" + file + ".safetensors")))
        << file;
  }
}

TEST_F(RunProgram, QuietIsQuietAndJsonIsJson) {
  const auto outcome = workplace_.must_run({"run", recipe_, "--quiet", "--json"});
  EXPECT_EQ(outcome.err, "");
  EXPECT_EQ(nlohmann::json::parse(outcome.out), metrics(run_));
}

TEST_F(RunProgram, TrainStopsBeforeTheEvaluationAndReportNeedsIt) {
  workplace_.must_run({"train", "--set", "explanation.steps=3", recipe_});  // options may come first
  EXPECT_TRUE(std::filesystem::exists(workplace_ / (run_ + "/decoder.safetensors")));
  EXPECT_FALSE(metrics(run_)["gce"].contains("information_flow"));
  EXPECT_TRUE(
      is_error(workplace_.run({"report", run_}), 1, "the evaluation stage of " + run_ + " is not done"));
  workplace_.must_run({"run", run_});
  std::filesystem::remove(workplace_ / (run_ + "/report.html"));
  const auto drawn = workplace_.must_run({"report", run_, "--set", "figures.sweep_steps=4"});
  EXPECT_FALSE(contains(drawn.err, "explanation: begins"));
  EXPECT_TRUE(std::filesystem::exists(workplace_ / (run_ + "/report.html")));
}

TEST_F(RunProgram, AnotherRecipesFolderIsLeftAlone) {
  workplace_.must_run({"train", recipe_, "--set", "explanation.steps=3"});
  const std::string weights = read_file(workplace_ / (run_ + "/decoder.safetensors"));
  EXPECT_TRUE(is_error(workplace_.run({"run", recipe_, "--set", "explanation.steps=4"}), 1,
                       "explanation.steps is 3 there and 4 here"));
  EXPECT_EQ(read_file(workplace_ / (run_ + "/decoder.safetensors")), weights);
  workplace_.must_run({"run", recipe_, "--set", "explanation.steps=4", "--force"});
  EXPECT_EQ(metrics(run_)["gce"]["steps"], 4);
}

TEST_F(RunProgram, SeedsAreRunComparedAndReportedTogether) {
  const std::vector<std::string> command = {
      "run",   recipe_,   "--set", "classifier.epochs=1", "--set", "explanation.steps=5", "--out",
      "seeds", "--seeds", "2"};
  EXPECT_EQ(workplace_.must_run(command).out, "seeds/report.html\n");
  const nlohmann::json summary = read_json(workplace_ / "seeds/seeds.json");
  for (std::size_t i = 0; i < 2; ++i) {
    const std::string folder = fmt::format("seeds/seed-{}", i);
    EXPECT_EQ(summary["runs"][i]["seed"], i);
    EXPECT_EQ(read_json(workplace_ / (folder + "/run.json"))["seed"], i);
    const nlohmann::json flow = metrics(folder)["gce"]["information_flow"]["alpha"]["nats"];
    EXPECT_EQ(summary["figures"]["flow"]["values"][i], flow);
    EXPECT_TRUE(metrics(folder)["gce"]["trust"].contains("seeds")) << folder;
  }
  EXPECT_TRUE(contains(read_file(workplace_ / "seeds/report.html"), "Left or right: 2 seeds"));
  EXPECT_FALSE(contains(workplace_.must_run(command).err, "begins"));
  EXPECT_TRUE(is_error(workplace_.run({"run", recipe_, "--seeds", "1"}), 2, "--seeds"));
  EXPECT_TRUE(is_error(workplace_.run({"run", recipe_, "--out", "seeds/seed-0", "--seeds", "2"}), 2,
                       "seeds/seed-0 is a run, but --seeds needs"));
  EXPECT_EQ(workplace_.must_run({"report", "--compare", "seeds/seed-0", "seeds/seed-1"}).out,
            "comparison.html\n");
  const std::string page = read_file(workplace_ / "comparison.html");
  EXPECT_TRUE(contains(page, "These runs have the same settings, apart from their seeds."));
  EXPECT_TRUE(contains(page, " to "));
  workplace_.must_run(
      {"run", recipe_, "--set", "classifier.epochs=1", "--set", "explanation.steps=6", "--out", "longer"});
  workplace_.must_run({"report", "--compare", "seeds/seed-0", "longer", "seeds/seed-1"});
  EXPECT_TRUE(contains(read_file(workplace_ / "comparison.html"), "steps = 5 (2 runs); steps = 6."));
  EXPECT_TRUE(
      is_error(workplace_.run({"report", "--compare", "seeds/seed-0"}), 2, "at least two run folders"));
  EXPECT_TRUE(is_error(workplace_.run({"report"}), 2, "give a recipe or a run folder"));
}

}  // namespace
}  // namespace whence
