// Rearranging an ONNX graph's tensors without changing their numbers.
#pragma once

#include "interchange/onnx_call.h"

namespace whence::interchange {

/// x with other sizes; the number of samples stays open.
OnnxValue reshaped(OnnxCall& call, const OnnxValue& x, const OnnxSizes& sizes);
/// x.permute(dimensions). Two orders that cancel one another leave the first value.
OnnxValue permuted(OnnxCall& call, const OnnxValue& x, const std::vector<std::int64_t>& dimensions);
/// x of one sample for every sample, where the file fixes the number of samples to one that N stands for.
OnnxValue with_batch(OnnxCall& call, const OnnxValue& x);

}  // namespace whence::interchange
