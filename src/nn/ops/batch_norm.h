// Batch normalisation of images (Ioffe & Szegedy 2015), with the ReLU behind it.
#pragma once

#include <ATen/core/Tensor.h>

#include "whence/nn/ops/ops.h"

namespace whence::nn {

/// A layer's tensors, (C) each, float32 (or float64, as x).
struct BatchNormTensors {
  at::Tensor weight, bias;
  at::Tensor running_mean, running_variance;  ///< training moves them by `op.momentum`
};

/// x (N, C, H, W), float64, float32 or bfloat16 -> weight (x - mean) / sqrt(variance + epsilon) + bias in each channel, or
/// the ReLU of that; in x's format, channels-last but for float64, differentiable once. Mean and variance are those of the
/// batch in training, else the running ones. Moments are computed in float32 about a value of the channel, with sums of
/// blocks added in float64: the same bits with any number of threads.
at::Tensor batch_norm(const at::Tensor& x, const BatchNormTensors& tensors, const BatchNorm2d& op,
                      bool training, bool relu);

}  // namespace whence::nn
