// Activations that early versions of ONNX write as several operators.
#pragma once

#include "interchange/onnx_call.h"

namespace whence::interchange {

/// a * b as one operator, where it is the end of SiLU (x sigmoid(x)), Hardswish (x hardsigmoid(x)) or GELU
/// (x (1 + erf(x / sqrt(2))) / 2), in whatever order the factors stand; the parts are left to be removed.
std::optional<OnnxValue> fused_product(OnnxCall& call, const OnnxValue& a, const OnnxValue& b);

}  // namespace whence::interchange
