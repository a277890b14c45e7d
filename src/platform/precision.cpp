#include "whence/platform/precision.h"

#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>
#include <time.h>

#include <limits>

#include "whence/core/error.h"
#include "whence/core/random.h"
#include "whence/platform/machine.h"

namespace whence {
namespace {

constexpr double worthwhile = 1.5;

/// One thread, while it lives. Time that a thread waits for others is the load's, not the number format's.
class SingleThread {
 public:
  SingleThread() : threads_(at::get_num_threads()) { at::set_num_threads(1); }
  SingleThread(const SingleThread&) = delete;
  SingleThread& operator=(const SingleThread&) = delete;
  ~SingleThread() { at::set_num_threads(threads_); }

 private:
  int threads_;
};

/// Seconds that this thread has spent on a processor.
double processor_seconds() {
  timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

/// GFLOP/s of one convolution 64 -> 64, 3x3 over (64, 64, 14, 14), channels-last: forward and both gradients,
/// the fastest of several.
double convolution_rate(at::ScalarType type) {
  constexpr std::int64_t n = 64, channels = 64, side = 14, kernel = 3;
  constexpr int warm_up = 2, repetitions = 5;
  const SingleThread single_thread;
  const at::AutoGradMode with_gradients(true);
  Generator generator = make_generator(0, "core/precision");
  const auto draw = [&](at::IntArrayRef shape) {
    return at::randn(shape, generator).to(type).contiguous(at::MemoryFormat::ChannelsLast).requires_grad_();
  };
  const Tensor input = draw({n, channels, side, side});
  const Tensor weight = draw({channels, channels, kernel, kernel});
  const Tensor gradient = at::ones_like(input);
  double fastest = std::numeric_limits<double>::infinity();
  for (int i = -warm_up; i < repetitions; ++i) {
    const double start = processor_seconds();
    at::conv2d(input, weight, {}, 1, kernel / 2).backward(gradient);
    if (i >= 0) fastest = std::min(fastest, processor_seconds() - start);
    input.mutable_grad().reset();
    weight.mutable_grad().reset();
  }
  constexpr double operations = 3.0 * 2.0 * n * channels * channels * side * side * kernel * kernel;
  return operations / fastest / 1e9;
}

/// nullopt when bfloat16 works; else why not. The processor's word is not enough: an emulator or a setting of
/// oneDNN may still refuse it.
std::optional<std::string> obstacle_to_bfloat16(double& rate) {
  const Machine machine = describe_machine();
  if (!machine.bfloat16) return fmt::format("this processor ({}) does not have it", machine.processor);
  try {
    rate = convolution_rate(at::kBFloat16);
  } catch (const std::exception& error) {
    return fmt::format("LibTorch refuses it here ({})", sentence_of(error));
  }
  return std::nullopt;
}

PrecisionChoice measure() {
  double narrow = 0;
  if (const auto obstacle = obstacle_to_bfloat16(narrow)) {
    return {Precision::float32, fmt::format("float32: bfloat16 is out, {}", *obstacle)};
  }
  const double plain = convolution_rate(at::kFloat);
  const Precision precision = narrow >= worthwhile * plain ? Precision::bfloat16 : Precision::float32;
  return {precision,
          fmt::format("{}: on one thread, a training-sized convolution runs at {:.0f} GFLOP/s in bfloat16 "
                      "and {:.0f} in float32; bfloat16 is taken from {} times as fast",
                      name_of(precision), narrow, plain, worthwhile)};
}

}  // namespace

PrecisionChoice choose_precision(PrecisionRequest request) {
  if (request == PrecisionRequest::float32) return {Precision::float32, "float32: asked for"};
  if (request == PrecisionRequest::bfloat16) {
    double rate = 0;
    if (const auto obstacle = obstacle_to_bfloat16(rate)) {
      fail("bfloat16 was requested, but {}; request float32 or auto", *obstacle);
    }
    return {Precision::bfloat16, fmt::format("bfloat16: asked for ({:.0f} GFLOP/s on one thread)", rate)};
  }
  static const PrecisionChoice choice = measure();
  return choice;
}

std::string_view name_of(Precision precision) {
  return precision == Precision::bfloat16 ? "bfloat16" : "float32";
}

}  // namespace whence
