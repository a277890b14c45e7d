// whence select from a recipe to the chosen one.
#include <signal.h>

#include "cli/program.h"
#include "experiment/log.h"

namespace whence {
namespace {

using test::contains;
using test_support::is_error;
using test_support::Process;
using test_support::Workplace;
namespace fs = std::filesystem;

class SelectProgram : public ::testing::Test {
 protected:
  SelectProgram() { test_support::write_squares_recipe(workplace_.path()); }

  static std::vector<std::string> select(const std::string& out, const std::vector<std::string>& more = {}) {
    std::vector<std::string> arguments = {"select",     "recipe-of-squares.toml",
                                          "--out",      out,
                                          "--latents",  "2,3",
                                          "--steps",    "60",
                                          "--samples",  "20x10",
                                          "--set",      "run.checkpoint_seconds=0",
                                          "--distance", "1"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return arguments;
  }

  nlohmann::json record(const std::string& out) const {
    nlohmann::json json = test_support::without_costs(read_json(workplace_ / (out + "/selection.json")));
    for (nlohmann::json& trial : json["trials"]) trial = test_support::without_costs(trial);
    return json;
  }

  Workplace workplace_;
};

TEST_F(SelectProgram, PrintsItsReasonsATableAndTheRecipe) {
  const auto outcome = workplace_.must_run(select("chosen"));
  for (const char* part :
       {"K = 1: lambda = ", "SSE + KL", "  chosen\n", "\nchosen/recipe.toml\nchosen/report.html\n"})
    EXPECT_TRUE(contains(outcome.out, part));
  for (const char* part :
       {"classifier: begins", "setting 1: 2 latents, no causal term", "pilot of K = 1, L = "})
    EXPECT_TRUE(contains(outcome.err, part));
  for (const char* file : {"report.html", "selection.json", "recipe.toml", "figures/latents.png",
                           "figures/lambda.svg", "figures/causal.png"})
    EXPECT_GT(fs::file_size(workplace_ / ("chosen/" + std::string(file))), 0u) << file;
  workplace_.must_run({"run", "chosen/recipe.toml", "--out", "run", "--quiet"});
  const auto again = workplace_.must_run(select("chosen", {"--quiet", "--json"}));
  EXPECT_EQ(again.err, "");
  EXPECT_EQ(nlohmann::json::parse(again.out), read_json(workplace_ / "chosen/selection.json"));
}

TEST_F(SelectProgram, KilledAndStoppedItGoesOnToTheSameChoice) {
  workplace_.must_run(select("whole"));
  const fs::path first = workplace_ / "killed/settings/latents-3";
  {
    Process process(workplace_.path(), select("killed"), {});
    ASSERT_TRUE(
        process.wait_until([&] { return fs::exists(first / ".stages/generator.checkpoint.safetensors"); }));
    process.signal(SIGKILL);
    process.wait();
  }
  EXPECT_FALSE(fs::exists(workplace_ / "killed/recipe.toml"));
  {
    Process process(workplace_.path(), select("killed"), {});
    ASSERT_TRUE(process.wait_until([&] { return fs::exists(first / ".stages/generator-validation.json"); }));
    process.signal(SIGINT);
    EXPECT_TRUE(is_error(process.wait(), 130, "interrupted; the same command continues from here"));
  }
  workplace_.must_run(select("killed"));
  EXPECT_EQ(record("killed"), record("whole"));
  EXPECT_EQ(read_file(workplace_ / "killed/recipe.toml"), read_file(workplace_ / "whole/recipe.toml"));
}

TEST_F(SelectProgram, AFolderThatWasMovedIsStillDone) {
  workplace_.must_run(select("here"));
  fs::rename(workplace_ / "here", workplace_ / "there");
  const auto again = workplace_.must_run(select("there"));
  EXPECT_FALSE(contains(again.err, "explanation: begins"));
  EXPECT_TRUE(contains(again.out, "\nthere/recipe.toml\n"));
}

TEST_F(SelectProgram, WrongUsageLeavesNoFolder) {
  const auto refused = [&](const std::vector<std::string>& more, int code, const std::string& part) {
    const auto outcome = workplace_.run(select("refused", more));
    if (fs::exists(workplace_ / "refused")) return ::testing::AssertionFailure() << "a folder is left";
    return is_error(outcome, code, part);
  };
  EXPECT_TRUE(is_error(workplace_.run({"select"}), 2, "target"));
  EXPECT_TRUE(is_error(workplace_.run({"select", "nowhere.toml"}), 1, "nowhere.toml"));
  EXPECT_TRUE(refused({"--rule", "backwards"}, 2, "--rule"));
  EXPECT_TRUE(refused({"--budget", "-1"}, 2, "--budget"));
  EXPECT_TRUE(refused({"--plateau", "3"}, 2, "--plateau"));
  EXPECT_TRUE(refused({"--lambda-factor", "1"}, 2, "--lambda-factor"));
  EXPECT_TRUE(refused({"--pilot", "1"}, 2, "--pilot"));
  EXPECT_TRUE(refused({"--least-lambda", "1", "--most-lambda", "0.1"}, 2, "the least lambda"));
  EXPECT_TRUE(refused({"--set", "generator.latents=3"}, 2, "generator.latents"));
  EXPECT_TRUE(refused({"--set", "data.path=nowhere"}, 1, "nowhere"));
  EXPECT_TRUE(
      is_error(workplace_.run({"select", "recipe-of-squares.toml", "--latents", "3,2"}), 2, "must rise"));
  EXPECT_TRUE(
      is_error(workplace_.run({"select", "recipe-of-squares.toml", "--samples", "9"}), 2, "--samples"));
}

TEST_F(SelectProgram, WhatCannotBeChosenIsSaid) {
  const auto outcome = workplace_.run(select("short", {"--budget", "1e-9", "--quiet"}));
  EXPECT_TRUE(is_error(outcome, 1, "continue with the same command and a larger"));
  EXPECT_FALSE(fs::exists(workplace_ / "short/recipe.toml"));
}

}  // namespace
}  // namespace whence
