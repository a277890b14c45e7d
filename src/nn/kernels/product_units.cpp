#include "nn/kernels/product_units.h"

#include "nn/kernels/bf16_matrix.h"
#include "whence/platform/processor.h"

#ifdef WHENCE_HAS_BF16_CODE
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace whence::nn {

#ifdef WHENCE_HAS_BF16_CODE

namespace {

/// The compilers' list of processor features does not know AMX yet.
bool has_tiles() {
  constexpr unsigned leaf = 7, bfloat16 = 1u << 22, tiles = 1u << 24;
  unsigned a = 0, b = 0, c = 0, d = 0;
  return __get_cpuid_count(leaf, 0, &a, &b, &c, &d) != 0 && (d & bfloat16) != 0 && (d & tiles) != 0;
}

/// Linux gives the tile registers to processes that ask for them.
bool ask_for_tiles() {
#ifdef SYS_arch_prctl
  constexpr int request_permission = 0x1023, tile_data = 18;
  return ::syscall(SYS_arch_prctl, request_permission, tile_data) == 0;
#else
  return false;
#endif
}

}  // namespace

bool has_bf16_products() {
  static const bool has = has_avx512() && __builtin_cpu_supports("avx512bf16");
  return has;
}

bool has_amx() {
  static const bool has = has_bf16_products() && has_tiles() && ask_for_tiles();
  return has;
}

#else

bool has_bf16_products() { return false; }
bool has_amx() { return false; }

#endif

}  // namespace whence::nn
