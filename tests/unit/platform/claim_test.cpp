#include "whence/platform/claim.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <fstream>
#include <thread>
#include <vector>

#include "support/files.h"
#include "whence/core/files.h"

namespace whence {
namespace {

using namespace std::chrono_literals;

TEST(Claim, IsOfOneAtATimeAndGoesWithItsObject) {
  const test::TemporaryFolder folder;
  Claims first, second;
  auto claim = first.ask(folder / "deep/claim");
  ASSERT_NE(claim, nullptr);
  EXPECT_EQ(second.ask(folder / "deep/claim"), nullptr);
  EXPECT_NE(Claims::owner(folder / "deep/claim").find(std::to_string(::getpid())), std::string::npos);
  claim.reset();
  EXPECT_FALSE(std::filesystem::exists(folder / "deep"));
  EXPECT_NE(second.ask(folder / "deep/claim"), nullptr);
}

TEST(Claim, OfAProcessThatWasKilledIsTakenOver) {
  const test::TemporaryFolder folder;
  const std::filesystem::path path = folder / "claim";
  const pid_t child = ::fork();
  if (child == 0) {
    const auto claim = Claims().ask(path);
    ::pause();
    ::_exit(claim == nullptr ? 1 : 0);
  }
  while (Claims::owner(path).empty()) std::this_thread::sleep_for(1ms);
  Claims claims;
  EXPECT_EQ(claims.ask(path), nullptr);
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  EXPECT_NE(claims.ask(path), nullptr);
}

TEST(Claim, OfAnotherMachineIsTakenOverWhenItsTimeStandsStill) {
  const test::TemporaryFolder folder;
  const std::filesystem::path path = folder / "claim";
  write_file(path, "elsewhere.example 1 1 1\n");
  Claims claims(50ms);
  EXPECT_EQ(claims.ask(path), nullptr);  // seen for the first time
  std::this_thread::sleep_for(60ms);
  std::filesystem::last_write_time(path, std::filesystem::last_write_time(path) + 10s);  // a heartbeat
  EXPECT_EQ(claims.ask(path), nullptr);
  std::this_thread::sleep_for(60ms);
  EXPECT_NE(claims.ask(path), nullptr);
}

/// A claim whose process number another process has by now.
TEST(Claim, OfANumberThatWasGivenAgainIsTakenOver) {
  const test::TemporaryFolder folder;
  std::array<char, 256> host{};
  ASSERT_EQ(::gethostname(host.data(), host.size() - 1), 0);
  write_file(folder / "claim", fmt::format("{} {} 1 1\n", host.data(), ::getppid()));
  EXPECT_NE(Claims().ask(folder / "claim"), nullptr);
}

TEST(Claim, OfManyThatTakeOverOneIsGiven) {
  const test::TemporaryFolder folder;
  for (int round = 0; round < 20; ++round) {
    const std::filesystem::path path = folder / std::to_string(round);
    std::array<char, 256> host{};
    ASSERT_EQ(::gethostname(host.data(), host.size() - 1), 0);
    write_file(path, fmt::format("{} 999999999 1 1\n", host.data()));
    std::atomic<int> given{0};
    std::vector<std::unique_ptr<Claim>> claims(8);
    std::vector<std::thread> threads;
    for (auto& own : claims)
      threads.emplace_back([&] {
        own = Claims().ask(path);
        if (own) ++given;
      });
    for (std::thread& thread : threads) thread.join();
    EXPECT_LE(given, 1);
  }
}

}  // namespace
}  // namespace whence
