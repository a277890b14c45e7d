#include "whence/platform/device.h"

#include <ATen/ATen.h>
#include <c10/core/impl/DeviceGuardImplInterface.h>

#include "support/errors.h"
#include "whence/core/random.h"

namespace whence {
namespace {

bool has_gpu() { return at::Context::hasCUDA(); }

TEST(Device, TheProcessorIsAlwaysThere) { EXPECT_EQ(device_named("cpu"), at::Device(at::kCPU)); }

TEST(Device, AGpuThatIsNotThereIsASentenceThatSaysWhatToDo) {
  if (has_gpu()) GTEST_SKIP() << "there is a GPU here";
  for (const std::string name : {"cuda", "cuda:0", "cuda:1"}) {
    const std::string reason =
        c10::impl::hasDeviceGuardImpl(at::kCUDA) ? "finds no GPU here" : "was built for processors only";
    test::expect_error([&] { device_named(name); }, {"\"" + name + "\"", reason, "ask for \"cpu\""});
  }
}

TEST(Device, GpusHaveNumbers) {
  if (!has_gpu()) GTEST_SKIP() << "there is no GPU here";
  EXPECT_EQ(device_named("cuda"), at::Device(at::kCUDA, 0));
  EXPECT_EQ(device_named("cuda:0"), at::Device(at::kCUDA, 0));
  test::expect_error([] { device_named("cuda:99"); }, {"cuda:99", "numbered from 0"});
}

TEST(Device, OtherNamesAreWrongUsage) {
  for (const std::string name : {"", "gpu", "CUDA", "cuda:", "cuda:-1", "cuda:1x", "cuda1", "cpu:0"})
    test::expect_error([&] { device_named(name); }, {"\"" + name + "\"", "\"cuda:1\""}, ExitCode::usage);
}

TEST(Device, DrawsLieBesideTheirGenerator) {
  Generator generator = make_generator(1, "device");
  const at::Tensor draw = at::randn({3}, generator, draws_of(generator, at::kDouble));
  EXPECT_TRUE(draw.is_cpu());
  EXPECT_EQ(draw.scalar_type(), at::kDouble);
}

}  // namespace
}  // namespace whence
