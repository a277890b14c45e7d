#include "whence/core/precision.h"

#include <ATen/core/grad_mode.h>

#include <array>
#include <chrono>

#include "whence/core/error.h"
#include "whence/core/machine.h"
#include "whence/core/random.h"

namespace whence {
namespace {

constexpr double worthwhile = 1.5;

/// GFLOP/s of one convolution 64 -> 64, 3x3 over (64, 64, 14, 14), channels-last: forward and both gradients;
/// the median of several.
double convolution_rate(at::ScalarType type) {
  constexpr std::int64_t n = 64, channels = 64, side = 14, kernel = 3;
  constexpr int warm_up = 2, repetitions = 7;
  const at::AutoGradMode with_gradients(true);
  Generator generator = make_generator(0, "core/precision");
  const auto draw = [&](at::IntArrayRef shape) {
    return at::randn(shape, generator).to(type).contiguous(at::MemoryFormat::ChannelsLast).requires_grad_();
  };
  const Tensor input = draw({n, channels, side, side});
  const Tensor weight = draw({channels, channels, kernel, kernel});
  const Tensor gradient = at::ones({n, channels, side, side}, input.options().requires_grad(false))
                              .contiguous(at::MemoryFormat::ChannelsLast);
  std::array<double, repetitions> seconds{};
  for (int i = -warm_up; i < repetitions; ++i) {
    const auto start = std::chrono::steady_clock::now();
    at::conv2d(input, weight, {}, 1, kernel / 2).backward(gradient);
    const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
    if (i >= 0) seconds[static_cast<std::size_t>(i)] = taken.count();
    input.mutable_grad().reset();
    weight.mutable_grad().reset();
  }
  std::nth_element(seconds.begin(), seconds.begin() + repetitions / 2, seconds.end());
  const double operations = 3.0 * 2.0 * n * channels * channels * side * side * kernel * kernel;
  return operations / seconds[repetitions / 2] / 1e9;
}

PrecisionChoice measure() {
  const Machine machine = describe_machine();
  if (!machine.bfloat16) {
    return {Precision::float32,
            fmt::format("float32: the processor ({}) has no bfloat16", machine.processor)};
  }
  const double plain = convolution_rate(at::kFloat);
  const double narrow = convolution_rate(at::kBFloat16);
  const bool faster = narrow >= worthwhile * plain;
  return {
      faster ? Precision::bfloat16 : Precision::float32,
      fmt::format(
          "{}: a training-sized convolution runs at {:.0f} GFLOP/s in bfloat16 and {:.0f} in float32 with "
          "{} thread{}; bfloat16 is taken from {} times as fast",
          faster ? "bfloat16" : "float32", narrow, plain, machine.threads, machine.threads == 1 ? "" : "s",
          worthwhile)};
}

}  // namespace

PrecisionChoice choose_precision(PrecisionRequest request) {
  switch (request) {
    case PrecisionRequest::float32:
      return {Precision::float32, "float32: asked for"};
    case PrecisionRequest::bfloat16: {
      const Machine machine = describe_machine();
      if (!machine.bfloat16) {
        fail("bfloat16 was asked for, but this processor ({}) does not have it; use float32 or automatic",
             machine.processor);
      }
      return {Precision::bfloat16, "bfloat16: asked for"};
    }
    case PrecisionRequest::automatic:
      break;
  }
  static const PrecisionChoice choice = measure();
  return choice;
}

std::string_view name_of(Precision precision) {
  return precision == Precision::bfloat16 ? "bfloat16" : "float32";
}

}  // namespace whence
