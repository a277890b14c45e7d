// One pass over two maps with numbers for each channel: the last step of batch norm's gradient.
#pragma once

#include <ATen/core/Tensor.h>

namespace whence::nn {

/// a[c] x + b[c] y + s[c] for each sample and place of channel c. x and y: (N, C, ...), of one floating-point format and one order
/// in memory, contiguous or channels-last; a, b, s: (C), float32, or float64 where x is. Sums are taken in the format of a and rounded once.
at::Tensor channel_mix(const at::Tensor& x, const at::Tensor& y, const at::Tensor& a, const at::Tensor& b,
                       const at::Tensor& s);

}  // namespace whence::nn
