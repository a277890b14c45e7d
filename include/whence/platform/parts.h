// A batch cut into parts that are computed side by side.
//
// LibTorch spreads each operation over its threads, which meet after each. The threads of a batch that is cut once, each
// of which takes its part through all layers, meet once.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>

namespace whence {

/// Rows first .. first + count - 1 of a batch.
struct Rows {
  std::int64_t first = 0, count = 0;
};

/// Into how many parts a batch is cut: one for each of LibTorch's threads, none smaller than `least` rows; 1 inside a
/// part.
std::int64_t parts_for(std::int64_t rows, std::int64_t least = 8);
/// The same for a batch (N, ...) in the processor's memory; 1 for one elsewhere, whose device is one thread to us.
std::int64_t parts_of(const at::Tensor& batch);

/// Part `part` of `parts` nearly equal ones. 0 <= part < parts.
Rows part_of(std::int64_t rows, std::int64_t part, std::int64_t parts);

/// Calls body(part) for part = 0 .. parts - 1, each on a thread of its own, on which LibTorch's operations take no
/// others; a single part runs on the calling thread, with operations spread over all threads. Gradient mode and the
/// like are the caller's. Rethrows the first error after all have ended.
void run_parts(std::int64_t parts, const std::function<void(std::int64_t part)>& body);

}  // namespace whence
