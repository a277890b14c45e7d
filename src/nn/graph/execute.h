// How one layer runs: in which format, and by which of its operation's functions.
#pragma once

#include <vector>

#include "whence/nn/graph/network.h"

namespace whence::nn {

/// Convolutions and linear maps: where the time goes, and what bfloat16 is for.
bool is_heavy(const Op& op);

/// last[i]: no heavy layer depends on layer i.
std::vector<bool> ends_of_paths(const std::vector<Layer>& layers);

/// Whether a layer computes in bfloat16. `last` says that no heavy layer depends on this one: it is the end
/// of an output's path, which stays float32 (see Precision) except for a convolution.
bool runs_in_bfloat16(const Op& op, Precision precision, bool last);

/// inputs: (N, ...) each; returns (N, layer.shape). `relu`: with the work of a ReLU
/// that follows a convolution or a batch normalisation, or precedes a maximum pooling. 4-D activations of
/// convolutions are channels-last.
at::Tensor execute(const Layer& layer, std::vector<at::Tensor> inputs, const Execution& execution, bool last,
                   bool relu = false);

}  // namespace whence::nn
