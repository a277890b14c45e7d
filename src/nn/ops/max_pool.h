// Maximum pooling over channels-last images, with the ReLU in front of it.
#pragma once

#include <ATen/core/Tensor.h>

#include "whence/nn/ops/ops.h"

namespace whence::nn {

/// x (N, C, H, W), float64, float32 or bfloat16 -> what at::max_pool2d computes of x, or of relu(x); channels-last,
/// differentiable once. A ReLU costs nothing here: the maximum of a window is looked at once instead of every pixel,
/// and a window without a positive pixel passes no gradient.
at::Tensor max_pool(const at::Tensor& x, const MaxPool2d& op, bool relu);

}  // namespace whence::nn
