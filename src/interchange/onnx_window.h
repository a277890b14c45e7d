// Windows of convolutions and pools: kernel, strides, padding, in ONNX's words.
#pragma once

#include "interchange/onnx_call.h"

namespace whence::interchange {

/// One number for each dimension of the image.
struct OnnxWindow {
  std::vector<std::int64_t> kernel, strides, dilations, begin, end;
  bool ceil = false;

  std::size_t dimensions() const { return kernel.size(); }
  bool is_padded() const;
  /// Whether begin and end are the same.
  bool is_even() const { return begin == end; }
  /// Size of the result in dimension `i` for an input of `size`.
  std::int64_t result(std::size_t i, std::int64_t size) const;
};

/// Reads the attributes strides, dilations, pads, auto_pad and ceil_mode. `kernel`: of the weight or of kernel_shape.
/// Errors (OnnxProblem): numbers that are not there, that are too large or make no sense; an input of another rank.
OnnxWindow window_of(const OnnxCall& call, const std::vector<std::int64_t>& kernel, const OnnxSizes& input);

/// Batch and `channels` in front of the window's results.
OnnxSizes result_sizes(const OnnxWindow& window, const OnnxSizes& input, std::int64_t channels);

/// `x` with `value` around its last dimensions.
OnnxValue padded_with(OnnxCall& call, const OnnxValue& x, const std::vector<std::int64_t>& begin,
                      const std::vector<std::int64_t>& end, double value);

}  // namespace whence::interchange
