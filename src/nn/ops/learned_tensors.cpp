#include "nn/ops/learned_tensors.h"

namespace whence::nn {

NamedTensors weight_and_bias(at::Tensor weight, bool bias, std::int64_t outputs) {
  const at::Tensor zeros = weight.new_zeros({outputs});
  NamedTensors parameters = {{"weight", std::move(weight)}};
  if (bias) parameters.push_back({"bias", zeros});
  return parameters;
}

at::Tensor channels_last_zeros(at::IntArrayRef sizes) {
  return at::empty(sizes, layer_options(), at::MemoryFormat::ChannelsLast).zero_();
}

}  // namespace whence::nn
