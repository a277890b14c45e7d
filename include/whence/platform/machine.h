// What this process runs on; written into every run folder because speed and last bits depend on it.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>

namespace whence {

struct Machine {
  std::string processor;        ///< model name, e.g. "Intel(R) Xeon(R) Processor"
  int cores = 1;                ///< processors this process may use
  int threads = 1;              ///< threads that LibTorch uses within an operation
  std::string blas;             ///< the BLAS library that is loaded: file or name, version, kernels
  bool reference_blas = false;  ///< the unoptimised BLAS: some 50 times slower than an optimised one
  std::string libtorch;         ///< version
  std::string
      libtorch_folder;  ///< where its library was loaded from; not in JSON, for it may hold a user's name
  std::string vector_extensions;  ///< e.g. "avx2 avx512f avx512_bf16 amx_bf16"
  bool bfloat16 = false;          ///< the processor multiplies bfloat16 natively (AVX512-BF16 or AMX)
  std::int64_t memory_bytes = 0;
};

/// LibTorch starts with one thread in Debian's build: call this first. 0 means every core this process may use.
void use_threads(int threads);

/// Tells the C library to keep the memory of freed tensors for the next ones: training frees and asks for the same
/// megabytes at every step, and pages that were returned to the system must be zeroed and mapped anew. Does nothing
/// where the library cannot be told (other than glibc). A program's choice: call it once at start.
void keep_freed_memory();

Machine describe_machine();
nlohmann::json to_json(const Machine& machine);

/// The largest resident memory of this process so far, in bytes.
std::int64_t peak_memory_bytes();

}  // namespace whence
