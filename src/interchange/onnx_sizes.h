// Sizes of an ONNX graph's tensors, in which the number of samples stays open.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace whence::interchange {

/// `count`, or `count` times the number of samples.
struct OnnxSize {
  std::int64_t count = 1;
  bool batch = false;
  bool operator==(const OnnxSize&) const = default;
};
using OnnxSizes = std::vector<OnnxSize>;

/// What is wrong with a node: ends the sentence "FILE: the operator Conv ('/conv1/Conv') ...".
class OnnxProblem : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

OnnxSizes fixed_sizes(const std::vector<std::int64_t>& counts);
/// All counts; nothing where the number of samples stands in one.
std::optional<std::vector<std::int64_t>> counts_of(const OnnxSizes& sizes);
bool has_batch(const OnnxSizes& sizes);
/// "Nx3x32x32"
std::string text_of(const OnnxSizes& sizes);

/// Of numbers with the number of samples N as a factor or not. Errors (OnnxProblem): N^2, N + 1, an overflow.
OnnxSize times(const OnnxSize& a, const OnnxSize& b);
OnnxSize plus(const OnnxSize& a, const OnnxSize& b);
OnnxSize divided(const OnnxSize& a, const OnnxSize& b);  ///< rounded towards zero, as ONNX does
/// Error (OnnxProblem): more elements than any model has.
OnnxSize elements_of(const OnnxSizes& sizes);

/// Numpy's rule. Error (OnnxProblem): sizes that do not fit.
OnnxSizes broadcast(const OnnxSizes& a, const OnnxSizes& b);

/// A dimension counted from the front. Error (OnnxProblem): there is no such dimension.
std::size_t dimension_of(std::int64_t axis, std::size_t rank);

}  // namespace whence::interchange
