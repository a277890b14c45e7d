// The environment that libraries read when they are loaded, and that cannot change later.
#pragma once

namespace whence::cli {

/// Starts the program anew (Linux; same process, same arguments), where that makes its libraries fast, with
///
/// * OMP_WAIT_POLICY=passive, where neither it nor GOMP_SPINCOUNT is set. LibTorch's threads otherwise spin while they wait
///   for each other, which takes the processor from the thread they wait for when the machine has other work; trainings
///   were seen to take four times as long.
/// * OPENBLAS_CORETYPE, where it is not set and openblas_kernels() knows better ones than OpenBLAS chose.
///
/// A program's choice: call it before anything is printed or written.
void start_with_fast_libraries();

}  // namespace whence::cli
