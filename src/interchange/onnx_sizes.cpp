#include "interchange/onnx_sizes.h"

#include <fmt/ranges.h>

#include <algorithm>

namespace whence::interchange {
namespace {

/// Of one tensor and sample; more is a damaged file.
constexpr std::int64_t kMostElements = std::int64_t{1} << 32;

std::int64_t checked_product(std::int64_t a, std::int64_t b) {
  std::int64_t product = 0;
  if (__builtin_mul_overflow(a, b, &product)) throw OnnxProblem("computes sizes that no tensor has");
  return product;
}

}  // namespace

OnnxSizes fixed_sizes(const std::vector<std::int64_t>& counts) {
  OnnxSizes sizes;
  for (const std::int64_t count : counts) sizes.push_back({count});
  return sizes;
}

std::optional<std::vector<std::int64_t>> counts_of(const OnnxSizes& sizes) {
  if (has_batch(sizes)) return std::nullopt;
  std::vector<std::int64_t> counts;
  for (const OnnxSize& size : sizes) counts.push_back(size.count);
  return counts;
}

bool has_batch(const OnnxSizes& sizes) {
  return std::any_of(sizes.begin(), sizes.end(), [](const OnnxSize& size) { return size.batch; });
}

std::string text_of(const OnnxSizes& sizes) {
  std::vector<std::string> parts;
  for (const OnnxSize& size : sizes) {
    const std::string count = std::to_string(size.count);
    parts.push_back(!size.batch ? count : size.count == 1 ? "N" : count + "N");
  }
  return sizes.empty() ? "no dimension" : fmt::format("{}", fmt::join(parts, "x"));
}

OnnxSize times(const OnnxSize& a, const OnnxSize& b) {
  if (a.batch && b.batch) throw OnnxProblem("multiplies the number of samples by itself");
  return {checked_product(a.count, b.count), a.batch || b.batch};
}

OnnxSize plus(const OnnxSize& a, const OnnxSize& b) {
  if (a.count == 0) return b;
  if (b.count == 0) return a;
  if (a.batch != b.batch) throw OnnxProblem("adds to the number of samples");
  std::int64_t sum = 0;
  if (__builtin_add_overflow(a.count, b.count, &sum)) throw OnnxProblem("computes sizes that no tensor has");
  if (sum == 0) return {0};
  return {sum, a.batch};
}

OnnxSize divided(const OnnxSize& a, const OnnxSize& b) {
  if (b.count == 0) throw OnnxProblem("divides by zero");
  const bool dividable = !b.batch && b.count != -1 && (!a.batch || a.count % b.count == 0);
  if (a.batch && b.batch && a.count % b.count == 0) return {a.count / b.count};
  if (!dividable) throw OnnxProblem("divides the number of samples");
  return {a.count / b.count, a.batch};
}

OnnxSize elements_of(const OnnxSizes& sizes) {
  OnnxSize total;
  for (const OnnxSize& size : sizes) {
    if (size.count < 0) throw OnnxProblem("has a result of a negative size");
    total = times(total, size);
    if (total.count > kMostElements) throw OnnxProblem("has a result that is larger than any model's");
  }
  return total;
}

OnnxSizes broadcast(const OnnxSizes& a, const OnnxSizes& b) {
  if (a.size() < b.size()) return broadcast(b, a);
  OnnxSizes sizes = a;
  const std::size_t skip = a.size() - b.size();
  for (std::size_t i = 0; i < b.size(); ++i) {
    OnnxSize& size = sizes[skip + i];
    if (size == OnnxSize{1}) {
      size = b[i];
    } else if (b[i] != OnnxSize{1} && b[i] != size) {
      throw OnnxProblem(fmt::format("combines tensors of {} and {}", text_of(a), text_of(b)));
    }
  }
  return sizes;
}

std::size_t dimension_of(std::int64_t axis, std::size_t rank) {
  const auto dimensions = static_cast<std::int64_t>(rank);
  if (axis < -dimensions || axis >= dimensions)
    throw OnnxProblem(fmt::format("acts on dimension {} of a tensor of {}", axis, rank));
  return static_cast<std::size_t>(axis < 0 ? axis + dimensions : axis);
}

}  // namespace whence::interchange
