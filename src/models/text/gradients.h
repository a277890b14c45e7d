// One step of gradient descent on a loss.
#pragma once

#include <ATen/core/Tensor.h>

#include "whence/nn/training/optimizer.h"

namespace whence::models {

/// Gradients of the optimizer's parameters, scaled down together where their norm is above `largest` (Pascanu, Mikolov and Bengio
/// 2013), then a step.
void descend(nn::Optimizer& optimizer, const at::Tensor& loss, double learning_rate, double largest);
/// The same for the parameters of several optimizers, whose gradients have one norm together.
void descend(const std::vector<nn::Optimizer*>& optimizers, const at::Tensor& loss, double learning_rate,
             double largest);

}  // namespace whence::models
