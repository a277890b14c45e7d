#include "nn/kernels/kernels.h"

#include <atomic>
#include <cstddef>

namespace whence::nn {
namespace {

std::atomic<bool>& is_off(KernelFamily family) {
  static std::array<std::atomic<bool>, kKernelFamilies.size()> off{};
  return off[static_cast<std::size_t>(family)];
}

}  // namespace

std::string_view name_of(KernelFamily family) {
  constexpr std::array<std::string_view, kKernelFamilies.size()> names = {
      "bf16 convolution", "bf16 transposed convolution", "subpixel"};
  return names[static_cast<std::size_t>(family)];
}

bool uses(KernelFamily family) { return !is_off(family); }
void use(KernelFamily family, bool on) { is_off(family) = !on; }

}  // namespace whence::nn
