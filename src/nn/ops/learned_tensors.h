// The tensors that operations learn, new.
#pragma once

#include "whence/nn/graph/network.h"

namespace whence::nn {

/// What a layer's tensors are made as: on the processor, in float32. A network moves as a whole (Network::to).
inline at::TensorOptions layer_options() { return at::TensorOptions(at::kCPU).dtype(at::kFloat); }

/// "weight", and "bias" of `outputs` zeros where there is one.
NamedTensors weight_and_bias(at::Tensor weight, bool bias, std::int64_t outputs);
/// Zeros in the layout in which convolutions run.
at::Tensor channels_last_zeros(at::IntArrayRef sizes);

}  // namespace whence::nn
