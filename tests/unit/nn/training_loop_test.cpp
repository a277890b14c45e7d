#include "whence/nn/training/training_loop.h"

#include <gtest/gtest.h>

#include <fstream>
#include <limits>

#include "whence/core/error.h"
#include "whence/core/random.h"

namespace whence::nn {
namespace {

namespace fs = std::filesystem;

class TrainingLoop : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() /
              (std::string("whence-loop-") + ::testing::UnitTest::GetInstance()->current_test_info()->name());
    fs::remove_all(folder_);
    fs::create_directories(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }

  LoopOptions options(const std::string& fingerprint = "a") const {
    return {"explanation", fingerprint, 12, folder_ / "checkpoint.safetensors", 1e9};
  }

  /// Fits a linear map to noise that depends on the step only; stops by an interrupt after `until` steps.
  at::Tensor train(const LoopOptions& loop, std::int64_t until, std::vector<std::int64_t>* seen = nullptr) {
    Network network("line", {3});
    network.add("fc", Linear{2});
    Generator weights = make_generator(1, "weights");
    initialise(network, {}, weights);
    Optimizer optimizer({&network}, Adam{});
    const auto step = [&](std::int64_t index) -> Readings {
      if (seen != nullptr) seen->push_back(index);
      Generator draws = make_generator(1, fmt::format("step/{}", index));
      const at::Tensor loss = (network.forward(at::randn({8, 3}, draws)) - 1).pow(2).mean();
      optimizer.set_gradients({torch::autograd::grad({loss}, optimizer.parameters())});
      optimizer.step(0.05);
      return {{"loss", loss}};
    };
    const auto progress = [&](const Progress& now) {
      if (now.step == until) throw Error("interrupted", ExitCode::interrupted);
    };
    try {
      run_training(loop, {&network}, {&optimizer}, step, progress);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ExitCode::interrupted);
    }
    return network.parameters()[0].tensor.detach().clone();
  }

  fs::path folder_;
};

TEST_F(TrainingLoop, InterruptedTrainingEndsWithTheBitsOfUninterruptedTraining) {
  LoopOptions uninterrupted = options();
  uninterrupted.checkpoint.clear();
  const at::Tensor whole = train(uninterrupted, -1);
  train(options(), 5);
  std::vector<std::int64_t> seen;
  const at::Tensor resumed = train(options(), -1, &seen);
  EXPECT_TRUE(at::equal(whole, resumed));
  EXPECT_EQ(seen, (std::vector<std::int64_t>{5, 6, 7, 8, 9, 10, 11}));
}

TEST_F(TrainingLoop, AnotherTrainingsCheckpointIsNotResumed) {
  train(options("a"), 5);
  std::vector<std::int64_t> seen;
  train(options("b"), -1, &seen);
  EXPECT_EQ(seen.size(), 12U);
}

TEST_F(TrainingLoop, ADamagedCheckpointIsAnErrorThatNamesTheFile) {
  std::ofstream(folder_ / "checkpoint.safetensors") << "not a checkpoint";
  Network network("line", {3});
  network.add("fc", Linear{2});
  Optimizer optimizer({&network}, Sgd{});
  try {
    run_training(options(), {&network}, {&optimizer}, [](std::int64_t) { return Readings{}; }, {});
    FAIL() << "a damaged checkpoint was taken";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("checkpoint.safetensors"), std::string::npos) << error.what();
  }
}

TEST_F(TrainingLoop, DivergenceNamesTheStepAndWhatToChange) {
  Network network("line", {3});
  network.add("fc", Linear{2});
  Optimizer optimizer({&network}, Sgd{});
  const auto step = [](std::int64_t index) -> Readings {
    return {{"SSE", at::scalar_tensor(index < 3 ? 1.0 : std::numeric_limits<double>::quiet_NaN())}};
  };
  try {
    run_training(options(), {&network}, {&optimizer}, step, {});
    FAIL() << "divergence went unnoticed";
  } catch (const Error& error) {
    const std::string sentence = error.what();
    EXPECT_NE(sentence.find("SSE is not a finite number at step 3"), std::string::npos) << sentence;
    EXPECT_NE(sentence.find("learning_rate"), std::string::npos) << sentence;
  }
}

TEST_F(TrainingLoop, ProgressTellsTheReadingsOfEveryStep) {
  Network network("line", {3});
  network.add("fc", Linear{2});
  Optimizer optimizer({&network}, Sgd{});
  SmoothedReadings smoothed(0.75);
  const auto step = [&](std::int64_t index) {
    return smoothed.update({{"C", at::scalar_tensor(static_cast<double>(index), at::kDouble)}});
  };
  std::vector<double> told;
  run_training(options(), {&network}, {&optimizer}, step,
               [&](const Progress& now) { told.push_back(now.values.at(0).second); });
  double average = 0;
  ASSERT_EQ(told.size(), 12U);
  for (std::size_t i = 0; i < told.size(); ++i) {
    if (i > 0) average = 0.75 * average + 0.25 * static_cast<double>(i);  // the first one is 0
    EXPECT_EQ(told[i], average);
  }
}

}  // namespace
}  // namespace whence::nn
