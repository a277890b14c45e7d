// Killed, interrupted, started twice: nothing is lost and nothing is half-written.
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

constexpr std::size_t kEnough = 20;  // logged steps after which a training counts as being in its middle

class Interruption : public ::testing::Test {
 protected:
  Interruption() { test_support::write_squares_recipe(workplace_.path()); }

  std::vector<std::string> train(const std::string& out, const std::string& checkpoint_seconds) const {
    return {"train", "recipe-of-squares.toml",
            "--out", out,
            "--set", "explanation.steps=150",
            "--set", "classifier.epochs=6",
            "--set", "run.checkpoint_seconds=" + checkpoint_seconds};
  }

  /// Starts a training and leaves it in the middle of `stage`.
  std::unique_ptr<Process> start(const std::string& out, const std::string& stage) const {
    auto process = std::make_unique<Process>(workplace_.path(), train(out, "0"), Process::Options{});
    EXPECT_TRUE(process->wait_until([&] {
      return fs::exists(workplace_ / (out + "/.stages/" + stage + ".checkpoint.safetensors")) &&
             experiment::read_curve(workplace_ / (out + "/log.jsonl"), stage).steps.size() > kEnough;
    }));
    return process;
  }

  void expect_same_weights(const std::string& a, const std::string& b) const {
    for (const std::string file : {"classifier", "encoder", "decoder"}) {
      EXPECT_EQ(read_file(workplace_ / (a + "/" + file + ".safetensors")),
                read_file(workplace_ / (b + "/" + file + ".safetensors")))
          << file;
    }
  }

  Workplace workplace_;
};

TEST_F(Interruption, KilledTrainingGoesOnToTheSameWeights) {
  workplace_.must_run(train("whole", "20"));
  for (const std::string stage : {"classifier", "explanation"}) {
    const std::string out = "killed-in-" + stage;
    const auto process = start(out, stage);
    process->signal(SIGKILL);
    EXPECT_EQ(process->wait().code, 128 + SIGKILL);
    ASSERT_FALSE(fs::exists(workplace_ / (out + "/decoder.safetensors"))) << "it was killed too late";
    const auto again = workplace_.must_run(train(out, "20"));
    EXPECT_TRUE(contains(again.err, stage + ": continues where it was interrupted"));
    expect_same_weights("whole", out);
    const nlohmann::json metrics = read_json(workplace_ / (out + "/metrics.json"));
    const nlohmann::json& trained = metrics[stage == "classifier" ? stage : "gce"]["train_seconds"];
    EXPECT_GE(metrics["stages"][stage]["seconds"].get<double>(), trained.get<double>())
        << "with what was before";
    EXPECT_FALSE(fs::exists(workplace_ / (out + "/.stages/" + stage + ".checkpoint.safetensors")));
  }
}

TEST_F(Interruption, CtrlCStopsWithinASecondAndSaysHowToGoOn) {
  workplace_.must_run(train("whole", "20"));
  const auto process = start("stopped", "explanation");
  const auto before = std::chrono::steady_clock::now();
  process->signal(SIGINT);
  const auto outcome = process->wait();
  EXPECT_LT(std::chrono::duration<double>(std::chrono::steady_clock::now() - before).count(), 1.0);
  EXPECT_TRUE(is_error(outcome, 130, "interrupted; the same command continues from here"));
  workplace_.must_run(train("stopped", "20"));
  expect_same_weights("whole", "stopped");
}

TEST_F(Interruption, AFolderIsWrittenByOneProcessOnly) {
  const auto process = start("shared", "explanation");
  process->signal(SIGSTOP);  // or it may be done before the second one has started
  EXPECT_TRUE(is_error(workplace_.run(train("shared", "0")), 1,
                       "another whence is working in the run folder shared"));
  process->signal(SIGKILL);
  process->wait();
  workplace_.must_run(train("shared", "20"));
}

// A file-size limit makes writes fail as a full disk does, for root too.
TEST_F(Interruption, AFullDiskLeavesNoHalfWrittenFile) {
  const std::vector<std::string> wide = {"train", "recipe-of-squares.toml", "--out", "full",
                                         "--set", "classifier.width=64",    "--set", "classifier.epochs=1",
                                         "--set", "explanation.steps=3"};
  Process::Options full;
  full.largest_file = 100'000;
  const auto outcome = workplace_.run(wide, full);
  EXPECT_TRUE(is_error(outcome, 1, "cannot write full/classifier.safetensors: File too large"));
  for (const auto& entry : fs::directory_iterator(workplace_ / "full")) {
    EXPECT_NE(entry.path().extension(), ".safetensors") << entry.path();
    EXPECT_EQ(entry.path().filename().string().find(".part-"), std::string::npos) << entry.path();
  }
  workplace_.must_run(wide);
}

TEST_F(Interruption, AFullDiskUnderTheResultsIsAnError) {
  Process::Options full;
  full.standard_output = "/dev/full";
  EXPECT_TRUE(is_error(workplace_.run({"recipe", "recipe-of-squares.toml"}, full), 1, "standard output"));
}

}  // namespace
}  // namespace whence
