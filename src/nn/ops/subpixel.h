// Transposed convolution as an ordinary one, which processors run several times as fast.
#pragma once

#include <ATen/core/Tensor.h>

#include "whence/nn/ops/ops.h"

namespace whence::nn {

/// x (N, C, H, W), weight (C, op.channels, k, k), bias (op.channels) or undefined -> exactly what
/// at::conv_transpose2d computes, differentiable in all three.
///
/// Output pixel o collects x[i] * weight[t] over all o + padding = stride * i + t. With o + padding = stride
/// * q + r that is t = stride * (q - i) + r: for each phase r a convolution over i with ceil(k / stride)
/// taps. All phases are computed as channels of one convolution and then interleaved (sub-pixel convolution;
/// Shi et al. 2016).
at::Tensor subpixel_convolution(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                                const ConvTranspose2d& op);

}  // namespace whence::nn
