#include "whence/platform/device.h"

#include <ATen/ATen.h>
#include <c10/core/impl/DeviceGuardImplInterface.h>
#include <torch/version.h>

#include <charconv>

#include "whence/core/error.h"

namespace whence {
namespace {

/// The N of "cuda:N", 0 of "cuda"; -1 of anything else.
int number_of(std::string_view name) {
  if (name == "cuda") return 0;
  constexpr std::string_view prefix = "cuda:";
  if (!name.starts_with(prefix)) return -1;
  int number = -1;
  const char* const end = name.data() + name.size();
  const auto [stop, error] = std::from_chars(name.data() + prefix.size(), end, number);
  return error == std::errc() && stop == end ? number : -1;
}

}  // namespace

at::Device device_named(std::string_view name) {
  if (name == "cpu") return at::kCPU;
  const int number = number_of(name);
  if (number < 0)
    fail_usage("there is no device \"{}\"; devices are \"cpu\", \"cuda\" and, of several GPUs, \"cuda:1\"",
               name);
  if (!at::Context::hasCUDA() && !c10::impl::hasDeviceGuardImpl(at::kCUDA))
    fail(
        "the device \"{}\" was asked for, but this LibTorch ({}) was built for processors only; build with "
        "one for GPUs, or ask for \"cpu\"",
        name, TORCH_VERSION);
  const int count = at::Context::hasCUDA() ? c10::impl::getDeviceGuardImpl(at::kCUDA)->deviceCount() : 0;
  if (count == 0)
    fail(
        "the device \"{}\" was asked for, but LibTorch finds no GPU here; see what nvidia-smi says, or ask "
        "for \"cpu\"",
        name);
  if (number >= count)
    fail(
        "the device \"{}\" was asked for, but there are {} GPUs here, numbered from 0; ask for \"cuda:{}\" "
        "or \"cpu\"",
        name, count, count - 1);
  return at::Device(at::kCUDA, static_cast<at::DeviceIndex>(number));
}

at::TensorOptions draws_of(const at::Generator& generator, at::ScalarType type) {
  return at::TensorOptions(generator.device()).dtype(type);
}

}  // namespace whence
