// Real data, two threads: the same seed gives the same bits, killed or not.
#include <signal.h>

#include "cli/program.h"
#include "experiment/log.h"
#include "whence/data/known.h"

namespace whence {
namespace {

using test_support::Process;
using test_support::Workplace;

constexpr const char* kRecipe = R"(
title = "T-shirt or trouser"
[data]
set = "fashion-mnist"
classes = [0, 1]
[classifier]
width = 4
epochs = 1
batch = 256
[generator]
width = 16
[explanation]
causal = 1
noncausal = 2
steps = 30
[evaluation]
flow_samples = [20, 10]
[counterfactual]
images = 4
[trust]
randomized = 1
[figures]
sweep_rows = 2
strip_rows = 1
strip_steps = 3
[run]
threads = 2
precision = "float32"
)";

class RealData : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!data::locate(data::known_set("fashion-mnist")))
      GTEST_SKIP() << "Fashion-MNIST is not installed; Debian's package dataset-fashion-mnist has it";
    write_file(workplace_ / "real.toml", kRecipe);
  }

  std::vector<std::string> arguments(const std::string& out, const std::string& checkpoint_seconds) const {
    return {"run", "real.toml", "--out", out, "--set", "run.checkpoint_seconds=" + checkpoint_seconds};
  }

  void expect_the_same(const std::string& a, const std::string& b) const {
    for (const std::string file : {"classifier", "encoder", "decoder"}) {
      const std::string name = "/" + file + ".safetensors";
      EXPECT_EQ(read_file(workplace_ / (a + name)), read_file(workplace_ / (b + name))) << b << name;
    }
    const auto numbers = [&](const std::string& out) {
      return test_support::without_costs(read_json(workplace_ / (out + "/metrics.json"))).dump();
    };
    EXPECT_EQ(numbers(a), numbers(b));
  }

  Workplace workplace_;
};

TEST_F(RealData, TheSameSeedGivesTheSameBitsAgainAndAfterBeingKilled) {
  workplace_.must_run(arguments("once", "20"));
  workplace_.must_run(arguments("again", "20"));
  expect_the_same("once", "again");

  Process process(workplace_.path(), arguments("killed", "0"), {});
  ASSERT_TRUE(process.wait_until([&] {
    return std::filesystem::exists(workplace_ / "killed/.stages/explanation.checkpoint.safetensors") &&
           experiment::read_curve(workplace_ / "killed/log.jsonl", "explanation").steps.size() > 5;
  }));
  process.signal(SIGKILL);
  EXPECT_EQ(process.wait().code, 128 + SIGKILL);
  ASSERT_FALSE(std::filesystem::exists(workplace_ / "killed/decoder.safetensors"))
      << "it was killed too late";
  const auto resumed = workplace_.must_run(arguments("killed", "20"));
  EXPECT_TRUE(test::contains(resumed.err, "explanation: continues where it was interrupted"));
  expect_the_same("once", "killed");
}

}  // namespace
}  // namespace whence
