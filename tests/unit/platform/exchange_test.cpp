#include "whence/platform/exchange.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <gtest/gtest.h>
#include <omp.h>

#include <array>
#include <chrono>
#include <thread>

#include "support/threads.h"
#include "whence/core/error.h"

namespace whence {
namespace {

class ExchangeTest : public ::testing::Test {
  test::Threads threads_{2};
};

TEST_F(ExchangeTest, HandsEachPartWhatAllGaveAtEveryMeeting) {
  Exchange exchange(2);
  std::array<double, 2> sums{};
  for (int run = 0; run < 3; ++run) {
    run_parts(exchange, [&](std::int64_t part) {
      for (int meeting = 0; meeting < 200; ++meeting) {
        if ((meeting + part) % 50 == 0) std::this_thread::sleep_for(std::chrono::milliseconds(2));
        const auto all = exchange.all(part, at::full({}, 1000. * static_cast<double>(part) + meeting));
        ASSERT_EQ(all.size(), 2U);
        EXPECT_EQ(all[0].item<double>(), meeting);
        EXPECT_EQ(all[1].item<double>(), 1000 + meeting);
        sums.at(static_cast<std::size_t>(part)) += all[0].item<double>() + all[1].item<double>();
      }
    });
  }
  EXPECT_EQ(sums[0], 3 * (200 * 199 + 200 * 1000));
  EXPECT_EQ(sums[1], sums[0]);
}

TEST_F(ExchangeTest, GivesOnePartItsOwn) {
  Exchange exchange(1);
  run_parts(exchange, [&](std::int64_t part) {
    EXPECT_EQ(exchange.all(part, at::full({}, 3.)).front().item<double>(), 3);
  });
  EXPECT_EQ(BatchPart{}.all(at::full({}, 4.)).front().item<double>(), 4);
}

TEST_F(ExchangeTest, LetsNoPartWaitForOneThatFailed) {
  Exchange exchange(2);
  for (const std::int64_t failing : {0, 1}) {
    try {
      run_parts(exchange, [&](std::int64_t part) {
        exchange.all(part, at::zeros({}));
        if (part == failing) throw Error("this part failed", ExitCode::failed);
        exchange.all(part, at::zeros({}));
      });
      ADD_FAILURE() << "no error";
    } catch (const Error& error) {
      EXPECT_STREQ(error.what(), "this part failed");
    }
  }
  int met = 0;  // and may be used again
  run_parts(exchange, [&](std::int64_t part) {
    exchange.all(part, at::zeros({}));
    if (part == 0) ++met;
  });
  EXPECT_EQ(met, 1);
}

TEST_F(ExchangeTest, SaysThatThreadsAreMissingInsteadOfWaiting) {
  Exchange exchange(2);
  std::thread([&] {
    at::get_num_threads();  // a new thread takes LibTorch's number, once here and once there
    at::parallel_for(0, 1, 1, [](std::int64_t, std::int64_t) {});
    omp_set_num_threads(1);
    EXPECT_THROW(run_parts(exchange, [&](std::int64_t part) { exchange.all(part, at::zeros({})); }), Error);
  }).join();
}

}  // namespace
}  // namespace whence
