// Batch norm in training: with the statistics of all parts of a batch.
#pragma once

#include <ATen/core/Tensor.h>

#include "whence/platform/exchange.h"

namespace whence::nn {

/// What a batch normalisation has learned and kept, (C) each.
struct NormTensors {
  at::Tensor weight, bias, running_mean, running_var;
};

/// Whether batch_norm_of_parts knows the place and the format of x: the processor's memory, and float32, float64 or bfloat16.
bool norms_in_parts(const at::Tensor& x);

/// weight (x - mean) / sqrt(variance + epsilon) + bias with the mean and the variance of each channel over all parts of the batch
/// (Ioffe & Szegedy 2015, algorithm 1): what at::batch_norm gives for the whole batch, except for rounding; so are its
/// gradients. x: (N, C, ...). The first part moves the running statistics, the variance without bias, by `momentum`. All parts call it, and
/// go backward through it, side by side. Has no second derivatives.
at::Tensor batch_norm_of_parts(const at::Tensor& x, const NormTensors& tensors, double momentum,
                               double epsilon, const BatchPart& part);

}  // namespace whence::nn
