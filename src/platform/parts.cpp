#include "whence/platform/parts.h"

#include <ATen/Parallel.h>
#include <ATen/ThreadLocalState.h>
#include <omp.h>

namespace whence {
namespace {

/// Makes LibTorch's operations single-threaded for the rest of a parallel region on this thread. To be in the region
/// is not enough: oneDNN plans its weight gradients for omp_get_max_threads() threads, which then wait for each other
/// for ever.
void take_no_other_threads() {
  // A new thread takes LibTorch's number of threads once, here at the latest: LibTorch's own code, and at::parallel_for as
  // compiled here, which in LibTorch 2 do not know of each other.
  at::get_num_threads();
  at::parallel_for(0, 1, 1, [](std::int64_t, std::int64_t) {});
  omp_set_num_threads(1);
}

}  // namespace

std::int64_t parts_for(std::int64_t rows, std::int64_t least) {
  if (at::in_parallel_region()) return 1;
  return std::clamp<std::int64_t>(rows / std::max<std::int64_t>(least, 1), 1, at::get_num_threads());
}

std::int64_t parts_of(const at::Tensor& batch) { return batch.is_cpu() ? parts_for(batch.size(0)) : 1; }

Rows part_of(std::int64_t rows, std::int64_t part, std::int64_t parts) {
  const std::int64_t first = rows * part / parts;
  return {first, rows * (part + 1) / parts - first};
}

void run_parts(std::int64_t parts, const std::function<void(std::int64_t part)>& body) {
  if (parts <= 1) {
    for (std::int64_t part = 0; part < parts; ++part) body(part);
    return;
  }
  const at::ThreadLocalState state;
  at::parallel_for(0, parts, 1, [&](std::int64_t begin, std::int64_t end) {
    const at::ThreadLocalStateGuard callers(state);
    take_no_other_threads();
    for (std::int64_t part = begin; part < end; ++part) body(part);
  });
}

}  // namespace whence
