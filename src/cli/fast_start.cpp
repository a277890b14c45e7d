#include "cli/fast_start.h"

#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include "whence/platform/processor.h"

namespace whence::cli {
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

}  // namespace whence::cli
