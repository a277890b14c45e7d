// The kernels of whence's own, by family: each can be switched off, so that LibTorch does its work in the same process.
// bench/kernels.cpp compares the two.
#pragma once

#include <array>
#include <string_view>

namespace whence::nn {

enum class KernelFamily {
  bf16_convolution,             ///< off: at::conv2d
  bf16_transposed_convolution,  ///< off: as `subpixel` says
  subpixel,  ///< transposed convolutions as at::conv2d of phases; off: at::conv_transpose2d
};

inline constexpr std::array kKernelFamilies = {
    KernelFamily::bf16_convolution, KernelFamily::bf16_transposed_convolution, KernelFamily::subpixel};

/// "bf16 convolution", ...
std::string_view name_of(KernelFamily family);

/// Whether a family is used where it can be; by default each is. For the whole process, at any time but during a step.
bool uses(KernelFamily family);
void use(KernelFamily family, bool on);

}  // namespace whence::nn
