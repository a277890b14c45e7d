#include "nn/ops/subpixel.h"

namespace whence::nn {
namespace {

/// (C, O, k, k) -> (s*s*O, C, m, m), channels-last in memory; output channels in the order (row phase, column
/// phase, channel), so that interleaving moves whole pixels.
at::Tensor phase_kernels(const at::Tensor& weight, std::int64_t stride, std::int64_t taps) {
  const std::int64_t inputs = weight.size(0), outputs = weight.size(1),
                     missing = stride * taps - weight.size(2);
  const at::Tensor whole = missing > 0 ? at::constant_pad_nd(weight, {0, missing, 0, missing}) : weight;
  // (C, O, tap row, phase row, tap column, phase column); taps run backwards because at::conv2d correlates
  const at::Tensor split = whole.reshape({inputs, outputs, taps, stride, taps, stride}).flip({2, 4});
  return split.permute({3, 5, 1, 2, 4, 0})
      .reshape({stride * stride * outputs, taps, taps, inputs})
      .permute({0, 3, 1, 2})
      .contiguous(at::MemoryFormat::ChannelsLast);
}

/// `size` rows (columns) of dimension `dim` from `first`; x itself where that is all, for the gradient of a
/// slice is a copy.
at::Tensor cropped(const at::Tensor& x, std::int64_t dim, std::int64_t first, std::int64_t size) {
  return x.size(dim) == size ? x : x.narrow(dim, first, size);
}

/// (N, s*s*O, H, W) -> (N, O, s*H, s*W)
at::Tensor interleave(const at::Tensor& phases, std::int64_t stride) {
  if (stride == 1) return phases;
  const std::int64_t n = phases.size(0), channels = phases.size(1) / (stride * stride);
  const std::int64_t height = phases.size(2), width = phases.size(3);
  return phases.permute({0, 2, 3, 1})
      .reshape({n, height, width, stride, stride, channels})
      .permute({0, 1, 3, 2, 4, 5})
      .reshape({n, height * stride, width * stride, channels})
      .permute({0, 3, 1, 2});
}

}  // namespace

at::Tensor subpixel_convolution(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                                const ConvTranspose2d& op) {
  const std::int64_t s = op.stride, taps = (op.kernel + s - 1) / s;
  // q starts at `first`: what lies wholly inside the cropped border is not computed.
  const std::int64_t first = std::min(op.padding / s, taps - 1);
  const std::int64_t margin = taps - 1 - first, crop = op.padding - s * first;
  const auto output_size = [&](std::int64_t size) {
    return (size - 1) * s - 2 * op.padding + op.kernel + op.output_padding;
  };
  const auto missing =
      [&](std::int64_t size) {  // rows of output padding beyond the last that any input reaches
        const std::int64_t computed = s * (size + 2 * margin - taps + 1);
        return std::max<std::int64_t>(0, (crop + output_size(size) - computed + s - 1) / s);
      };
  const std::int64_t height = output_size(x.size(2)), width = output_size(x.size(3));
  const std::int64_t rows = missing(x.size(2)), columns = missing(x.size(3));

  const at::Tensor input = rows > 0 || columns > 0 ? at::constant_pad_nd(x, {0, columns, 0, rows}) : x;
  const at::Tensor phase_bias = bias.defined() ? bias.repeat({s * s}) : bias;
  const at::Tensor phases = at::conv2d(input.contiguous(at::MemoryFormat::ChannelsLast),
                                       phase_kernels(weight, s, taps), phase_bias, 1, margin);
  return cropped(cropped(interleave(phases, s), 2, crop, height), 3, crop, width);
}

}  // namespace whence::nn
