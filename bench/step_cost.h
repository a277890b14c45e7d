// What a training step costs in floating-point operations, and how fast the processor does such operations at best.
#pragma once

#include "whence/core/precision.h"
#include "whence/nn/network.h"

namespace whence::bench {

/// What a network's weights are worth: which gradients a step asks for.
enum class Gradients { of_weights, of_weights_and_input, of_input };

/// Operations (a multiplication and an addition are two) of the convolutions and linear maps of `network`, forward and
/// backward, for one sample.
double step_operations(const nn::Network& network, Gradients gradients);

/// The fastest of the networks' convolutions, alone, forward, in operations a second.
double peak_rate(const std::vector<nn::Network>& networks, std::int64_t batch, Precision precision);

}  // namespace whence::bench
