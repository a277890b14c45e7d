// What this processor multiplies bfloat16 matrices with.
#pragma once

namespace whence::nn {

/// Whether the products of bf16_*.h run here: the processor has AMX and the system lets this process use it.
bool has_bf16_products();

}  // namespace whence::nn
