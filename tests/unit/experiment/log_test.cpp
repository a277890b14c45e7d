#include "experiment/log.h"

#include "unit/experiment/support.h"

namespace whence::experiment {
namespace {

using whence::test::TemporaryFolder;

Progress at_step(std::int64_t step, double value, std::int64_t total = 8000,
                 const char* stage = "explanation") {
  return {stage, step, total, {{"C", value}}};
}

TEST(ProgressLog, KeepsEveryFiftiethStepAndTheLast) {
  const TemporaryFolder folder;
  ProgressLog log(folder / "log.jsonl");
  for (std::int64_t step = 1; step <= 12'020; ++step) log.append(at_step(step, 1.0, 12'020));
  const Curve curve = read_curve(folder / "log.jsonl", "explanation");
  EXPECT_EQ(curve.steps.size(), 241u);
  EXPECT_EQ(curve.steps.front(), 50);
  EXPECT_EQ(curve.steps.back(), 12'020);
}

TEST(ProgressLog, KeepsEveryStepOfAShortTraining) {
  const TemporaryFolder folder;
  ProgressLog log(folder / "log.jsonl");
  for (std::int64_t step = 1; step <= 60; ++step) log.append(at_step(step, 1.0, 60));
  EXPECT_EQ(read_curve(folder / "log.jsonl", "explanation").steps.size(), 60u);
}

TEST(ProgressLog, ALineTornByAKillSpoilsNoOther) {
  const TemporaryFolder folder;
  ProgressLog(folder / "log.jsonl").append(at_step(200, 0.1));
  std::ofstream(folder / "log.jsonl", std::ios::app) << R"({"stage":"explanation","st)";
  ProgressLog(folder / "log.jsonl").append(at_step(400, 0.2));
  const Curve curve = read_curve(folder / "log.jsonl", "explanation");
  EXPECT_EQ(curve.steps, (std::vector<double>{200, 400}));
  EXPECT_EQ(curve.values.at("C"), (std::vector<double>{0.1, 0.2}));
}

TEST(ProgressLog, AReadingThatBeginsLateIsNoNumberBefore) {
  const TemporaryFolder folder;
  ProgressLog log(folder / "log.jsonl");
  log.append(at_step(200, 0.1));
  Progress later = at_step(400, 0.2);
  later.values.push_back({"leak", 0.5});
  log.append(later);
  log.append(at_step(600, 0.3));
  const std::vector<double> leak = read_curve(folder / "log.jsonl", "explanation").values.at("leak");
  ASSERT_EQ(leak.size(), 3u);
  EXPECT_TRUE(std::isnan(leak[0]));
  EXPECT_EQ(leak[1], 0.5);
  EXPECT_TRUE(std::isnan(leak[2]));
}

TEST(ProgressLog, TheLastReadingOfARepeatedStepCounts) {
  const TemporaryFolder folder;
  ProgressLog log(folder / "log.jsonl");
  for (const auto& [step, value] : {std::pair{200, 1.0}, {400, 2.0}, {200, 3.0}})
    log.append(at_step(step, value));
  EXPECT_EQ(read_curve(folder / "log.jsonl", "explanation").values.at("C"), (std::vector<double>{3.0, 2.0}));
}

TEST(ProgressLog, DropForgetsOneStage) {
  const TemporaryFolder folder;
  ProgressLog log(folder / "log.jsonl");
  log.append(at_step(200, 1, 8000, "classifier"));
  log.append(at_step(200, 1));
  log.drop("explanation");
  EXPECT_TRUE(read_curve(folder / "log.jsonl", "explanation").steps.empty());
  EXPECT_EQ(read_curve(folder / "log.jsonl", "classifier").steps.size(), 1u);
}

TEST(ProgressLog, DropForgetsThePartsOfAStageToo) {
  const TemporaryFolder folder;
  ProgressLog log(folder / "log.jsonl");
  for (const char* stage : {"explanation/pretraining", "explanation", "explanations"})
    log.append(at_step(200, 0.1, 8000, stage));
  log.drop("explanation");
  EXPECT_TRUE(read_curve(folder / "log.jsonl", "explanation/pretraining").steps.empty());
  EXPECT_TRUE(read_curve(folder / "log.jsonl", "explanation").steps.empty());
  EXPECT_EQ(read_curve(folder / "log.jsonl", "explanations").steps.size(), 1u);
}

TEST(ProgressLog, SaysWhenItCannotWrite) {
  ProgressLog log("/dev/full");
  EXPECT_TRUE(
      whence::test::contains(whence::test::error_of([&] { log.append(at_step(200, 1)); }), "/dev/full"));
}

}  // namespace
}  // namespace whence::experiment
