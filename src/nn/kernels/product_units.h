// What this processor multiplies matrices with.
#pragma once

namespace whence::nn {

/// Whether the products of bf16_*.h run here: the processor has AVX-512 with its bfloat16 instructions (Intel's since
/// Cooper Lake, AMD's since Zen 4), and the build has the code.
bool has_bf16_products();

/// Whether they run on AMX, the matrix unit of Intel's processors since 2023: has_bf16_products(), the processor has it and
/// the system lets this process use it.
bool has_amx();

}  // namespace whence::nn
