#include "whence/platform/machine.h"

#include <ATen/Parallel.h>
#include <gtest/gtest.h>
#include <sched.h>

#include <thread>

#include "support/errors.h"
#include "support/files.h"

namespace whence {
namespace {

TEST(Machine, AgreesWithTheKernel) {
  const Machine machine = describe_machine();
  const std::string cpuinfo = test::content("/proc/cpuinfo");
  EXPECT_FALSE(machine.processor.empty());
  if (cpuinfo.find("model name") != std::string::npos) {
    EXPECT_NE(cpuinfo.find(machine.processor), std::string::npos);
  }
  EXPECT_EQ(machine.bfloat16, cpuinfo.find("bf16") != std::string::npos);
  const std::string meminfo = test::content("/proc/meminfo");
  const double kilobytes = std::stod(meminfo.substr(meminfo.find("MemTotal:") + 9));
  EXPECT_NEAR(static_cast<double>(machine.memory_bytes) / 1024, kilobytes, kilobytes / 10);
  EXPECT_GE(machine.cores, 1);
  EXPECT_LE(machine.cores, static_cast<int>(std::thread::hardware_concurrency()));
}

TEST(Machine, CountsOnlyTheProcessorsThatItMayUse) {
  cpu_set_t all;
  ASSERT_EQ(::sched_getaffinity(0, sizeof all, &all), 0);
  cpu_set_t one;
  CPU_ZERO(&one);
  for (std::size_t i = 0; CPU_COUNT(&one) == 0; ++i) {
    if (CPU_ISSET(i, &all)) CPU_SET(i, &one);
  }
  ASSERT_EQ(::sched_setaffinity(0, sizeof one, &one), 0);
  EXPECT_EQ(describe_machine().cores, 1);
  ::sched_setaffinity(0, sizeof all, &all);
}

TEST(Machine, NamesTheBlasThatIsLoaded) {
  const Machine machine = describe_machine();
  EXPECT_FALSE(machine.blas.empty());
  const std::string maps = test::content("/proc/self/maps");
  const bool optimised_is_loaded = maps.find("openblas") != std::string::npos;
  if (optimised_is_loaded) {
    EXPECT_NE(machine.blas.find("openblas"), std::string::npos) << machine.blas;
    EXPECT_FALSE(machine.reference_blas);
  } else if (maps.find("/blas/libblas.so.3") != std::string::npos) {
    EXPECT_TRUE(machine.reference_blas) << machine.blas;
  }
}

TEST(UseThreads, SetsLibTorchsThreads) {
  use_threads(1);
  EXPECT_EQ(at::get_num_threads(), 1);
  EXPECT_EQ(describe_machine().threads, 1);
  use_threads(0);
  EXPECT_EQ(at::get_num_threads(), describe_machine().cores);
}

TEST(UseThreads, RefusesWhatMakesNoSense) {
  test::expect_error([] { use_threads(-1); }, {"threads", "not -1"}, ExitCode::usage);
  test::expect_error([] { use_threads(1'000'000); }, {"threads", "1000000"}, ExitCode::usage);
}

TEST(Machine, IsWrittenWithEveryField) {
  Machine machine;
  machine.processor = "P";
  machine.cores = 3;
  machine.blas = "B";
  machine.memory_bytes = 5'000'000'000;
  const nlohmann::json expected = {{"processor", "P"},
                                   {"cores", 3},
                                   {"threads", 1},
                                   {"blas", "B"},
                                   {"reference_blas", false},
                                   {"libtorch", ""},
                                   {"vector_extensions", ""},
                                   {"bfloat16", false},
                                   {"memory_bytes", 5'000'000'000}};
  EXPECT_EQ(to_json(machine), expected);
}

TEST(PeakMemory, GrowsWithWhatIsUsed) {
  constexpr std::int64_t bytes = 256 << 20;
  const std::int64_t before = peak_memory_bytes();
  EXPECT_GT(before, 1 << 20);
  const std::vector<char> used(bytes, 'x');
  EXPECT_EQ(used.back(), 'x');
  EXPECT_GE(peak_memory_bytes(), bytes);
  EXPECT_GE(peak_memory_bytes(), before);
}

}  // namespace
}  // namespace whence
