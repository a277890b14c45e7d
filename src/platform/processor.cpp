#include "whence/platform/processor.h"

#include <dlfcn.h>

namespace whence {
#ifdef __x86_64__
bool has_avx2() { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"); }
bool has_avx512() {
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512cd") &&
         __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
         __builtin_cpu_supports("avx512vl");
}
#else
bool has_avx2() { return false; }
bool has_avx512() { return false; }
#endif

std::string loaded_openblas_kernels() {
  using Name = char*();
  auto* name = reinterpret_cast<Name*>(::dlsym(RTLD_DEFAULT, "openblas_get_corename"));
  return name == nullptr ? "" : name();
}

std::string_view openblas_kernels(std::string_view chosen, bool avx2, bool avx512) {
  if (!avx2 || (chosen != "Prescott" && chosen != "Barcelona")) return "";
  return avx512 ? "SkylakeX" : "Haswell";
}

}  // namespace whence
