#include "whence/core/environment.h"

#include <dlfcn.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <vector>

namespace whence {
namespace {

bool is_set(const char* variable) { return std::getenv(variable) != nullptr; }

/// Returns only when it fails: then the libraries stay as they are.
void start_anew() {
  std::ifstream file("/proc/self/cmdline", std::ios::binary);
  std::vector<std::string> words;
  for (std::string word; std::getline(file, word, '\0');) words.push_back(word);
  if (words.empty()) return;
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  ::execv("/proc/self/exe", arguments.data());
}

}  // namespace

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

void start_with_fast_libraries() {
  bool anew = false;
  const auto set = [&](const char* variable, std::string_view value) {
    anew = true;
    ::setenv(variable, std::string(value).c_str(), 1);
  };
  if (!is_set("OMP_WAIT_POLICY") && !is_set("GOMP_SPINCOUNT")) set("OMP_WAIT_POLICY", "passive");
  if (!is_set("OPENBLAS_CORETYPE")) {
    const std::string_view kernels = openblas_kernels(loaded_openblas_kernels(), has_avx2(), has_avx512());
    if (!kernels.empty()) set("OPENBLAS_CORETYPE", kernels);
  }
  if (anew) start_anew();
}

}  // namespace whence
