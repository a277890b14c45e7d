// Shape inference: what an operation makes of its inputs' shapes.
#pragma once

#include <string>
#include <vector>

#include "whence/nn/graph/network.h"
#include "whence/nn/ops/ops.h"

namespace whence::nn {

/// "64x12x12"
std::string text_of(at::IntArrayRef shape);
/// How many numbers one sample has.
std::int64_t elements(const Shape& shape);

/// The shape of the output of `op` for one sample. Error: inputs that the operation cannot take, settings out
/// of range; the sentence begins with `place` ("network "a", layer "b" (Conv2d)").
Shape infer_shape(const Op& op, const std::vector<Shape>& inputs, const std::string& place);

}  // namespace whence::nn
