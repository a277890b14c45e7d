#include "whence/platform/parts.h"

#include <ATen/Parallel.h>
#include <gtest/gtest.h>
#include <omp.h>

#include <array>
#include <atomic>
#include <thread>

#include "support/threads.h"
#include "whence/core/error.h"

namespace whence {
namespace {

class PartsTest : public ::testing::Test {
  test::Threads threads_{2};
};

TEST_F(PartsTest, CoverEveryRowOnceAndAreNearlyEqual) {
  for (std::int64_t rows = 1; rows < 40; ++rows) {
    for (std::int64_t parts = 1; parts <= rows; ++parts) {
      std::int64_t next = 0;
      for (std::int64_t part = 0; part < parts; ++part) {
        const auto [first, count] = part_of(rows, part, parts);
        EXPECT_EQ(first, next);
        EXPECT_GE(count, rows / parts);
        EXPECT_LE(count, rows / parts + 1);
        next = first + count;
      }
      EXPECT_EQ(next, rows);
    }
  }
}

TEST_F(PartsTest, AreAsManyAsThreadsButNotTooSmall) {
  EXPECT_EQ(parts_for(64), 2);
  EXPECT_EQ(parts_for(16), 2);
  EXPECT_EQ(parts_for(15), 1);
  EXPECT_EQ(parts_for(0), 1);
  EXPECT_EQ(parts_for(4, 1), 2);
  use_threads(1);
  EXPECT_EQ(parts_for(64), 1);
}

TEST_F(PartsTest, RunOnceEachAndDoNotNest) {
  std::vector<std::atomic<int>> calls(5);
  std::vector<std::int64_t> inner(5);
  run_parts(5, [&](std::int64_t part) {
    ++calls[static_cast<std::size_t>(part)];
    inner[static_cast<std::size_t>(part)] = parts_for(1000);
  });
  for (const auto& count : calls) EXPECT_EQ(count, 1);
  for (const std::int64_t parts : inner) EXPECT_EQ(parts, 1);
}

/// What a part calls may plan for as many threads as OpenMP says; more than one would wait for the others for ever.
TEST_F(PartsTest, AreOneThreadAlsoOnThreadsThatAreNew) {
  std::array<int, 2> before{}, after{};
  std::thread([&] {  // OpenMP starts other threads for it
    run_parts(2, [&](std::int64_t part) {
      const auto i = static_cast<std::size_t>(part);
      before.at(i) = omp_get_max_threads();
      at::parallel_for(0, 2, 1, [](std::int64_t, std::int64_t) {});
      at::zeros({100, 100}).add_(1);
      after.at(i) = omp_get_max_threads();
    });
  })
      .join();
  EXPECT_EQ(before, (std::array{1, 1}));
  EXPECT_EQ(after, (std::array{1, 1}));
}

TEST_F(PartsTest, KeepTheCallersGradientMode) {
  const at::NoGradGuard no_gradients;
  std::atomic<int> recording{0};
  run_parts(2, [&](std::int64_t) { recording += at::GradMode::is_enabled() ? 1 : 0; });
  EXPECT_EQ(recording, 0);
}

TEST_F(PartsTest, PassOnAnErrorAfterAllHaveEnded) {
  std::atomic<int> ended{0};
  EXPECT_THROW(run_parts(2,
                         [&](std::int64_t part) {
                           if (part == 0) throw Error("a part failed", ExitCode::failed);
                           ++ended;
                         }),
               Error);
  EXPECT_EQ(ended, 1);
}

}  // namespace
}  // namespace whence
