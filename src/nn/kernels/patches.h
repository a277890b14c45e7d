// How a convolution and its transpose walk over images: the geometry behind both, and behind their gradients.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

namespace whence::nn {

/// One side of an image; images, kernels and strides of convolutions are described by two of these.
struct PatchSide {
  std::int64_t input = 0, output = 0;  ///< pixels
  std::int64_t grid = 0;               ///< positions
  std::int64_t margin = 0;             ///< pixels before the input at position 0
  std::int64_t crop = 0;               ///< output pixels of position 0 that fall outside
};

/// At each position (y, x) of a grid the operation reads the patch of taps x taps input pixels from (step * y -
/// margin, step * x - margin) and writes phases x phases output pixels from (phases * y - crop, phases * x - crop);
/// what is outside of an image reads as zero and is not written. All it computes is the product of the patches, a
/// matrix with a row for each position and depth() columns, and the kernel, a matrix of depth() x columns(). Images are channels-last.
struct Patches {
  std::int64_t batch = 0, channels = 0, output_channels = 0;
  PatchSide vertical, horizontal;
  std::int64_t taps = 1, step = 1, phases = 1;
  bool transposed = false;

  /// Elements of a patch's row, which lie side by side in a channels-last image; rounded up to what a matrix unit takes
  /// at once. The kernel matrix is zero in the surplus.
  std::int64_t row_depth() const { return (taps * channels + 31) / 32 * 32; }
  std::int64_t depth() const { return taps * row_depth(); }
  std::int64_t columns() const { return phases * phases * output_channels; }
};

/// Along one side: which taps meet a pixel of the image from a position, and which positions meet one with a tap. Empty where
/// there is none.
struct Meeting {
  std::int64_t begin = 0, end = 0;
  std::int64_t pixel = 0;  ///< that the first of them meets
};
Meeting taps_at(const Patches& patches, const PatchSide& side, std::int64_t position);
Meeting positions_of(const Patches& patches, const PatchSide& side, std::int64_t tap);

/// Where the channels of the output pixel (row, column) of the position (y, x) of `image` begin; -1 outside of it.
inline std::int64_t pixel_of(const Patches& p, std::int64_t image, std::int64_t grid_y, std::int64_t grid_x,
                             std::int64_t row, std::int64_t column) {
  const std::int64_t y = p.phases * grid_y - p.vertical.crop + row;
  const std::int64_t x = p.phases * grid_x - p.horizontal.crop + column;
  const bool inside = y >= 0 && y < p.vertical.output && x >= 0 && x < p.horizontal.output;
  return inside ? ((image * p.vertical.output + y) * p.horizontal.output + x) * p.output_channels : -1;
}

/// x (N, C, H, W) -> (N, outputs, output height, output width).
Patches convolution_patches(at::IntArrayRef x, std::int64_t outputs, at::IntArrayRef output,
                            std::int64_t kernel, std::int64_t stride, std::int64_t padding);

/// The transpose of a convolution. Output pixel o collects x[i] * weight[t] over all o + padding = stride * i + t.
/// With o + padding = stride * q + r that is t = stride * (q - i) + r: a position q has one column for each phase r,
/// over ceil(kernel / stride) taps (sub-pixel convolution; Shi et al. 2016). `x` and `output` are sizes.
Patches transposed_patches(at::IntArrayRef x, std::int64_t outputs, at::IntArrayRef output,
                           std::int64_t kernel, std::int64_t stride, std::int64_t padding);

/// Where the kernel matrix's element (depth k, column n) is in a weight: at depth[k] + column[n] elements. A weight of
/// a convolution is (outputs, channels, kernel, kernel), of a transposed one (channels, outputs, kernel, kernel) with
/// kernel = phases * taps. The patches' taps run backwards over a transposed kernel, because patches correlate.
struct KernelOffsets {
  static constexpr std::int32_t kNone = -1;  ///< in the surplus of a row
  std::vector<std::int32_t> depth, column;
};
KernelOffsets kernel_offsets(const Patches& patches, at::IntArrayRef strides);

}  // namespace whence::nn
