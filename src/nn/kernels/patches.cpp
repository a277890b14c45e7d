#include "nn/kernels/patches.h"

#include <algorithm>

namespace whence::nn {
namespace {

PatchSide convolution_side(std::int64_t input, std::int64_t output, std::int64_t padding) {
  return {.input = input, .output = output, .grid = output, .margin = padding, .crop = 0};
}

PatchSide transposed_side(std::int64_t input, std::int64_t output, std::int64_t taps, std::int64_t stride,
                          std::int64_t padding) {
  const std::int64_t first = padding / stride, last = (output - 1 + padding) / stride;
  return {.input = input,
          .output = output,
          .grid = last - first + 1,
          .margin = taps - 1 - first,
          .crop = padding - stride * first};
}

}  // namespace

Patches convolution_patches(at::IntArrayRef x, std::int64_t outputs, at::IntArrayRef output,
                            std::int64_t kernel, std::int64_t stride, std::int64_t padding) {
  return {.batch = x[0],
          .channels = x[1],
          .output_channels = outputs,
          .vertical = convolution_side(x[2], output[0], padding),
          .horizontal = convolution_side(x[3], output[1], padding),
          .taps = kernel,
          .step = stride,
          .phases = 1,
          .transposed = false};
}

Patches transposed_patches(at::IntArrayRef x, std::int64_t outputs, at::IntArrayRef output,
                           std::int64_t kernel, std::int64_t stride, std::int64_t padding) {
  const std::int64_t taps = (kernel + stride - 1) / stride;
  return {.batch = x[0],
          .channels = x[1],
          .output_channels = outputs,
          .vertical = transposed_side(x[2], output[0], taps, stride, padding),
          .horizontal = transposed_side(x[3], output[1], taps, stride, padding),
          .taps = taps,
          .step = 1,
          .phases = stride,
          .transposed = true};
}

Meeting taps_at(const Patches& patches, const PatchSide& side, std::int64_t position) {
  const std::int64_t first = patches.step * position - side.margin;
  const std::int64_t begin = std::clamp<std::int64_t>(-first, 0, patches.taps);
  return {begin, std::clamp<std::int64_t>(side.input - first, begin, patches.taps), first + begin};
}

Meeting positions_of(const Patches& patches, const PatchSide& side, std::int64_t tap) {
  const auto pixel = [&](std::int64_t position) { return patches.step * position - side.margin + tap; };
  Meeting met;
  while (met.begin < side.grid && pixel(met.begin) < 0) ++met.begin;
  met.pixel = pixel(met.begin);
  for (met.end = met.begin; met.end < side.grid && pixel(met.end) < side.input;) ++met.end;
  return met;
}

KernelOffsets kernel_offsets(const Patches& patches, at::IntArrayRef strides) {
  const std::int64_t of_channel = strides[patches.transposed ? 0 : 1];
  const std::int64_t of_output = strides[patches.transposed ? 1 : 0];
  const auto first_row = [&](std::int64_t tap) {
    return patches.transposed ? patches.phases * (patches.taps - 1 - tap) : tap;
  };
  KernelOffsets offsets;
  for (std::int64_t y = 0; y < patches.taps; ++y) {
    for (std::int64_t x = 0; x < patches.taps; ++x) {
      const std::int64_t tap = first_row(y) * strides[2] + first_row(x) * strides[3];
      for (std::int64_t c = 0; c < patches.channels; ++c)
        offsets.depth.push_back(static_cast<std::int32_t>(tap + c * of_channel));
    }
    offsets.depth.resize(static_cast<std::size_t>((y + 1) * patches.row_depth()), KernelOffsets::kNone);
  }
  for (std::int64_t y = 0; y < patches.phases; ++y) {
    for (std::int64_t x = 0; x < patches.phases; ++x) {
      const std::int64_t phase = y * strides[2] + x * strides[3];
      for (std::int64_t o = 0; o < patches.output_channels; ++o)
        offsets.column.push_back(static_cast<std::int32_t>(phase + o * of_output));
    }
  }
  return offsets;
}

}  // namespace whence::nn
