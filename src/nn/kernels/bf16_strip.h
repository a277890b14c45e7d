// How the bfloat16 convolutions walk: over blocks of work, over an image's pixels in the cache.
#pragma once

#include "nn/kernels/bf16_block.h"
#include "nn/kernels/strip.h"

#ifdef WHENCE_HAS_BF16_CODE

#include <ATen/core/Tensor.h>

namespace whence::nn::bf16 {

/// nn::for_each_block on threads that have the tile registers.
template <class Work>
void for_each_block(std::int64_t count, std::int64_t scratch, const Work& work) {
  nn::for_each_block<Tiles>(count, scratch, work);
}

inline Half* halves(const at::Tensor& tensor) {
  return reinterpret_cast<Half*>(tensor.data_ptr<at::BFloat16>());
}

/// What multiply_patches is given, as its inner loops read it.
struct PatchProduct {
  PatchProduct(const Patches& patches_, const at::Tensor& input_, const at::Tensor& kernel_,
               const at::Tensor& bias_, float floor_, const at::Tensor& output_)
      : patches(patches_),
        input(halves(input_)),
        kernel(halves(kernel_)),
        bias(bias_.numel() > 0 ? bias_.data_ptr<float>() : nullptr),
        floor(floor_),
        output(halves(output_)) {}

  const Patches& patches;
  const Half *input, *kernel;
  const float* bias;
  float floor;
  Half* output;
};

/// A strip of halves.
struct HalfStrip : Strip {
  /// Blocks of positions and steps of the depth are whole; what they read past the end is finite and not used.
  std::int64_t size() const { return rounded_up(pixels() + kBlock * stride() + patches.row_depth(), kDepth); }
  const Half* row_of_tap(const Half* strip, std::int64_t tap) const { return strip + tap_row(tap); }

  /// The margins of `strip` are zero already.
  void fill(const Half* input, std::int64_t image, Half* strip) const {
    Strip::fill(input, image, strip, copy);
  }
};

}  // namespace whence::nn::bf16
#endif
