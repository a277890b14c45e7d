// Many processes instead of one: the same bits, and sentences where the parts do not fit.
#include <signal.h>
#include <cstdlib>

#include "cli/program.h"

namespace whence {
namespace {

using test::contains;
using test_support::is_error;
using test_support::Process;
using test_support::Workplace;
namespace fs = std::filesystem;
using Words = std::vector<std::string>;

Words operator+(Words a, const Words& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

/// Without what takes another time each time.
nlohmann::json timeless(nlohmann::json json) {
  if (json.is_object())
    for (const char* name : {"seconds_per_image", "seconds"}) json.erase(name);
  if (json.is_structured())
    for (auto& each : json) each = timeless(each);
  return json;
}

class Sharding : public ::testing::Test {
 protected:
  Sharding() {
    test_support::write_squares_recipe(workplace_.path());
    workplace_.must_run({"run", "recipe-of-squares.toml", "--out", "run", "--quiet"});
  }

  /// Runs `command` whole and in three shards, the last one first, and compares everything that is left: standard output, and each
  /// file that either of them wrote.
  void expect_same(const Words& command, const Words& compared) {
    const auto whole = workplace_.must_run(command + Words{"--out", "whole", "--json"});
    for (const char* shard : {"3/3", "1/3", "2/3"})
      EXPECT_TRUE(
          contains(workplace_.must_run(command + Words{"--out", "parts", "--shard", shard}).out, "-of-3\n"));
    const auto merged = workplace_.must_run({"merge", "parts", "--out", "merged", "--json"});
    EXPECT_EQ(timeless(nlohmann::json::parse(merged.out)), timeless(nlohmann::json::parse(whole.out)));
    for (const std::string& file : compared)
      EXPECT_TRUE(read_file(workplace_ / ("merged/" + file)) == read_file(workplace_ / ("whole/" + file)))
          << file;
    for (const auto& entry : fs::directory_iterator(workplace_ / "whole"))
      EXPECT_TRUE(fs::exists(workplace_ / "merged" / entry.path().filename())) << entry.path();
    for (const char* folder : {"whole", "parts", "merged"}) fs::remove_all(workplace_ / folder);
  }

  Workplace workplace_;
};

TEST_F(Sharding, ThreeShardsLeaveTheFilesOfOneRun) {
  expect_same({"attribute", "run", "--count", "50", "--block", "16", "--method", "smooth_grad", "--method",
               "rise", "--method", "shapley_sampling"},
              {"attributions.safetensors", "attributions.png", "attributions.svg"});
  expect_same({"counterfactual", "run", "--count", "50", "--block", "16"},
              {"counterfactuals.safetensors", "counterfactuals.png", "counterfactuals.svg"});
  expect_same({"ablate", "run", "--count", "50", "--block", "16"}, {"ablation.png", "ablation.svg"});
  expect_same({"flow", "run", "--samples", "60x60"}, {"flow.json"});
  expect_same({"flow", "run", "--samples", "60x60", "--factor-draws", "shared"}, {"flow.json"});
  expect_same({"morph", "run", "--count", "30", "--block", "8"},
              {"morphs.safetensors", "morphs.png", "morphs.svg", "morphs-and-controls.png"});
  expect_same({"morph", "run", "--count", "30", "--block", "8", "--target", "left", "--no-controls"},
              {"morphs.safetensors", "morphs.png"});
}

TEST_F(Sharding, MapsAloneAreThoseThatAreMeasured) {
  const Words command = {"attribute", "run", "--count", "20", "--block", "16", "--method", "rise"};
  workplace_.must_run(command + Words{"--out", "measured"});
  const auto alone = workplace_.must_run(command + Words{"--maps-only", "--out", "alone"});
  EXPECT_TRUE(contains(alone.out, "seconds an image")) << alone.out;
  EXPECT_FALSE(contains(alone.out, "random order")) << alone.out;
  EXPECT_TRUE(read_file(workplace_ / "measured/attributions.safetensors") ==
              read_file(workplace_ / "alone/attributions.safetensors"));
  EXPECT_FALSE(fs::exists(workplace_ / "alone/attributions.html"));
  expect_same(command + Words{"--maps-only"}, {"attributions.safetensors", "attributions.png"});
  EXPECT_TRUE(is_error(workplace_.run({"attribute", "--truth", "--maps-only"}), 2, "--maps-only"));
}

TEST_F(Sharding, APartIsMadeOnceAndAForeignOneIsRefused) {
  const Words command = {"ablate", "run", "--count", "50", "--block", "16", "--out", "parts"};
  EXPECT_TRUE(is_error(workplace_.run({"ablate", "run", "--shard", "1/2"}), 2, "--shard needs --out"));
  EXPECT_TRUE(is_error(workplace_.run(command + Words{"--shard", "3/2"}), 2, "must be I/N"));
  EXPECT_TRUE(is_error(workplace_.run(command + Words{"--shard", "auto"}), 2, "finds none of"));
  workplace_.must_run(command + Words{"--shard", "1/2"});
  const fs::path part = workplace_ / "parts/shard-1-of-2/part.json";
  const fs::file_time_type made = fs::last_write_time(part);
  workplace_.must_run(command + Words{"--shard", "1/2"});
  EXPECT_EQ(fs::last_write_time(part), made);
  EXPECT_TRUE(is_error(
      workplace_.run({"ablate", "run", "--count", "49", "--block", "16", "--out", "parts", "--shard", "1/2"}),
      1, "holds a part of other work"));
  EXPECT_TRUE(is_error(workplace_.run({"merge", "parts", "--out", "merged"}), 1, "2-of-2 is missing"));
  EXPECT_TRUE(is_error(workplace_.run({"merge", "run", "--out", "merged"}), 1, "holds no finished part"));
  EXPECT_FALSE(fs::exists(workplace_ / "merged"));
}

/// The variables that Slurm, Open MPI and torchrun set are read.
TEST_F(Sharding, AutoReadsTheEnvironment) {
  ASSERT_EQ(::setenv("OMPI_COMM_WORLD_SIZE", "2", 1), 0);
  for (const char* rank : {"0", "1"}) {
    ASSERT_EQ(::setenv("OMPI_COMM_WORLD_RANK", rank, 1), 0);
    workplace_.must_run({"ablate", "run", "--block", "64", "--out", "parts", "--shard", "auto"});
  }
  ::unsetenv("OMPI_COMM_WORLD_RANK");
  ::unsetenv("OMPI_COMM_WORLD_SIZE");
  EXPECT_EQ(workplace_.must_run({"merge", "parts", "--out", "merged", "--json"}).out,
            workplace_.must_run({"ablate", "run", "--block", "64", "--json"}).out);
}

class Sharing : public ::testing::Test {
 protected:
  Sharing() { test_support::write_squares_recipe(workplace_.path()); }

  static Words seeds(const std::string& out) {
    return {"run",   "recipe-of-squares.toml",  "--seeds", "3", "--out", out,
            "--set", "run.checkpoint_seconds=0"};
  }
  static Words select(const std::string& out) {
    return {"select",     "recipe-of-squares.toml",
            "--out",      out,
            "--latents",  "2,3",
            "--steps",    "60",
            "--samples",  "20x10",
            "--distance", "1"};
  }
  /// Two at once.
  void together(const Words& command) {
    Process first(workplace_.path(), command, {});
    const auto second = workplace_.run(command);
    EXPECT_EQ(second.code, 0) << second.err;
    const auto outcome = first.wait();
    EXPECT_EQ(outcome.code, 0) << outcome.err;
  }
  nlohmann::json record(const std::string& file) const {
    nlohmann::json json = read_json(workplace_ / file);
    json["figures"] = json.contains("figures") && json["figures"].contains("flow") ? json["figures"]["flow"]
                                                                                   : json["chosen"];
    json.erase("seconds");
    for (nlohmann::json& trial : json["trials"]) trial.erase("seconds");
    return json;
  }
  static bool no_claims(const fs::path& folder) {
    for (const auto& entry : fs::recursive_directory_iterator(folder))
      if (entry.path().filename() == ".claim") return false;
    return true;
  }

  Workplace workplace_;
};

TEST_F(Sharing, TwoProcessesShareTheSeeds) {
  workplace_.must_run(seeds("alone"));
  together(seeds("shared"));
  EXPECT_EQ(record("shared/seeds.json"), record("alone/seeds.json"));
  EXPECT_TRUE(no_claims(workplace_ / "shared"));
}

TEST_F(Sharing, TheClaimsOfAKilledProcessAreTakenOver) {
  workplace_.must_run(seeds("alone"));
  {
    Process process(workplace_.path(), seeds("shared"), {});
    ASSERT_TRUE(process.wait_until(
        [&] { return fs::exists(workplace_ / "shared/seed-1/.stages/explanation.checkpoint.safetensors"); }));
    process.signal(SIGKILL);
    process.wait();
  }
  EXPECT_FALSE(no_claims(workplace_ / "shared"));
  workplace_.must_run(seeds("shared"));
  EXPECT_EQ(record("shared/seeds.json"), record("alone/seeds.json"));
  EXPECT_TRUE(no_claims(workplace_ / "shared"));
}

TEST_F(Sharing, TwoProcessesShareTheSettingsOfASelection) {
  workplace_.must_run(select("alone"));
  together(select("shared"));
  EXPECT_EQ(record("shared/selection.json"), record("alone/selection.json"));
  EXPECT_EQ(read_file(workplace_ / "shared/recipe.toml"), read_file(workplace_ / "alone/recipe.toml"));
  EXPECT_TRUE(no_claims(workplace_ / "shared"));
}

}  // namespace
}  // namespace whence
