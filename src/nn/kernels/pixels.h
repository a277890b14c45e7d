// The channels of a pixel, as channels-last images store them side by side, and loops over them that are compiled for the
// widest vectors a processor has.
#pragma once

#include <ATen/core/Tensor.h>

#include <cmath>
#include <cstdint>
#include <cstring>

#include "whence/platform/processor.h"

namespace whence::nn {

#define WHENCE_INLINED inline __attribute__((always_inline))

/// A bfloat16 as it is stored: the upper half of a float32.
using StoredHalf = std::uint16_t;

WHENCE_INLINED float wide(StoredHalf half) {
  const std::uint32_t bits = std::uint32_t{half} << 16;
  float value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}
WHENCE_INLINED float wide(float value) { return value; }
WHENCE_INLINED double wide(double value) { return value; }

WHENCE_INLINED void store(float value, StoredHalf& to) {  // to the nearest, of two to the even one
  std::uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  constexpr std::uint32_t magnitude = 0x7fffffff, infinity = 0x7f800000, not_a_number = 0x7fc00000;
  const std::uint32_t rounded = bits + 0x7fff + (bits >> 16 & 1);
  to = static_cast<std::uint16_t>(((bits & magnitude) > infinity ? not_a_number : rounded) >> 16);
}
WHENCE_INLINED void store(float value, float& to) { to = value; }
WHENCE_INLINED void store(double value, double& to) { to = value; }

/// Calls action with a null pointer of the type in which pixels of `type` are read.
template <class Action>
void with_pixel_type(at::ScalarType type, const Action& action) {
  switch (type) {
    case at::kBFloat16:
      return action(static_cast<StoredHalf*>(nullptr));
    case at::kFloat:
      return action(static_cast<float*>(nullptr));
    case at::kDouble:
      return action(static_cast<double*>(nullptr));
    default:
      TORCH_CHECK(false, "pixels of type ", type);
  }
}

inline at::Tensor pixels_together(const at::Tensor& x) {
  return x.contiguous(at::MemoryFormat::ChannelsLast);
}

#if defined(__x86_64__) && defined(__GNUC__)
template <class Loop, class... Arguments>
__attribute__((target("avx512f,avx512bw,avx512vl,avx512dq"))) void run_on_avx512(Arguments... arguments) {
  Loop::run(arguments...);
}
template <class Loop, class... Arguments>
__attribute__((target("avx2,fma"))) void run_on_avx2(Arguments... arguments) {
  Loop::run(arguments...);
}
#endif

/// Loop::run, a WHENCE_INLINED function that compilers vectorise, for vectors as wide as the processor has.
template <class Loop, class... Arguments>
auto widest() -> void (*)(Arguments...) {
#if defined(__x86_64__) && defined(__GNUC__)
  if (has_avx512()) return run_on_avx512<Loop, Arguments...>;
  if (has_avx2()) return run_on_avx2<Loop, Arguments...>;
#endif
  return [](Arguments... arguments) { Loop::run(arguments...); };
}

template <class Loop, class... Arguments>
void run_widely(Arguments... arguments) {
  widest<Loop, Arguments...>()(arguments...);
}

}  // namespace whence::nn
