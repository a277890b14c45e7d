// The floating-point operations of a training step, and the processor's best rate for them.
#pragma once

#include "whence/nn/graph/network.h"
#include "whence/platform/precision.h"

namespace whence::bench {

/// Which gradients of a network a step computes.
enum class Gradients { of_weights, of_weights_and_input, of_input };

/// Operations (a multiplication and an addition are two) of the convolutions and linear maps of `network`, forward and
/// backward, for one sample.
double step_operations(const nn::Network& network, Gradients gradients);

/// For each layer of convolutions or linear maps, how fast it runs alone, forward, at best: operations a second; 0 for
/// other layers.
std::vector<double> layer_rates(const nn::Network& network, std::int64_t batch, Precision precision);

/// How long one sample's products of a step would take if each ran at its layer's rate.
double least_seconds(const nn::Network& network, Gradients gradients, const std::vector<double>& rates);

}  // namespace whence::bench
