// What a program's libraries read of the environment when they are loaded, and what is too late to change then.
#pragma once

#include <string>
#include <string_view>

namespace whence {

/// Starts the program anew (Linux; same process, same arguments), where that makes its libraries fast, with
///
/// * OMP_WAIT_POLICY=passive, where neither it nor GOMP_SPINCOUNT is set. LibTorch's threads otherwise spin while they wait
///   for each other, which takes the processor from the thread they wait for when the machine has other work; trainings
///   were seen to take four times as long.
/// * OPENBLAS_CORETYPE, where it is not set and openblas_kernels() knows better ones than OpenBLAS chose.
///
/// A program's choice: call it before anything is printed or written.
void start_with_fast_libraries();

/// The kernels that OpenBLAS uses, e.g. "SkylakeX"; "" where another BLAS is loaded.
std::string loaded_openblas_kernels();

/// The kernels to ask of OpenBLAS (OPENBLAS_CORETYPE) where it chose `chosen`; "" where that is right. For processors that it
/// does not know, as all that are newer than itself, it chooses those of 2004, with which float32 products of matrices take
/// eight times as long (OpenBLAS 0.3.21 on a Xeon with AMX).
std::string_view openblas_kernels(std::string_view chosen, bool avx2, bool avx512);

/// Whether the processor has AVX2 with fused multiply-add; AVX-512 (F, CD, BW, DQ, VL), whose vectors are twice as wide.
bool has_avx2();
bool has_avx512();

}  // namespace whence
