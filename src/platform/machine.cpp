#include "whence/platform/machine.h"

#include <ATen/Parallel.h>
#include <link.h>
#include <malloc.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <torch/version.h>
#include <unistd.h>

#include <fstream>
#include <limits>
#include <sstream>

#include "whence/core/error.h"
#include "whence/platform/processor.h"

namespace fs = std::filesystem;

namespace whence {
namespace {

/// The first value of each key of /proc/cpuinfo.
std::vector<std::pair<std::string, std::string>> processor_facts() {
  std::vector<std::pair<std::string, std::string>> facts;
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line) && !line.empty();) {
    const std::size_t colon = line.find(':');
    if (colon == std::string::npos) continue;
    const std::size_t key_end = line.find_last_not_of(" \t", colon == 0 ? 0 : colon - 1);
    const std::size_t value = line.find_first_not_of(" \t", colon + 1);
    facts.emplace_back(line.substr(0, key_end + 1), value == std::string::npos ? "" : line.substr(value));
  }
  return facts;
}

std::string fact(const std::vector<std::pair<std::string, std::string>>& facts,
                 std::initializer_list<std::string_view> keys) {
  for (const std::string_view key : keys) {
    for (const auto& [name, value] : facts) {
      if (name == key) return value;
    }
  }
  return "";
}

std::string machine_name() {
  utsname name{};
  return ::uname(&name) == 0 ? name.machine : "unknown";
}

/// The flags that decide how fast products of matrices are, in the order of their age.
std::string vector_flags(const std::string& flags) {
  static constexpr std::string_view known[] = {
      "sse4_2",   "avx",      "avx2",  "fma",     "avx512f", "avx512_vnni", "avx512_bf16",
      "amx_tile", "amx_bf16", "asimd", "asimdhp", "sve",     "bf16",        "svebf16"};
  std::vector<std::string> present;
  std::istringstream words(flags);
  for (std::string word; words >> word;) present.push_back(word);
  std::string text;
  for (const std::string_view flag : known) {
    if (std::find(present.begin(), present.end(), flag) == present.end()) continue;
    if (!text.empty()) text += ' ';
    text += flag;
  }
  return text;
}

/// What a container's quota of processor time amounts to, rounded up; 0 without one. More threads than that
/// wait for each other.
int quota_cores() {
  std::ifstream file("/sys/fs/cgroup/cpu.max");
  double quota = 0, period = 0;
  if (!(file >> quota >> period) || quota <= 0 || period <= 0) return 0;
  return static_cast<int>(std::ceil(quota / period));
}

int usable_cores() {
  cpu_set_t set;
  CPU_ZERO(&set);
  const int allowed = ::sched_getaffinity(0, sizeof set, &set) == 0
                          ? CPU_COUNT(&set)
                          : static_cast<int>(::sysconf(_SC_NPROCESSORS_ONLN));
  const int quota = quota_cores();
  return std::max(1, quota > 0 ? std::min(allowed, quota) : allowed);
}

/// The real path of a loaded shared object whose file name begins with one of `names`; empty when there is
/// none.
fs::path loaded_object(std::initializer_list<std::string_view> names) {
  struct Search {
    std::initializer_list<std::string_view> names;
    fs::path found;
  } search{names, {}};
  const auto visit = [](dl_phdr_info* info, std::size_t, void* data) {
    auto& [wanted, found] = *static_cast<Search*>(data);
    const fs::path path = info->dlpi_name;
    const std::string file = path.filename().string();
    if (std::none_of(wanted.begin(), wanted.end(), [&](auto name) { return file.starts_with(name); }))
      return 0;
    std::error_code error;
    const fs::path real = fs::canonical(path, error);
    found = error ? path : real;
    return 1;
  };
  ::dl_iterate_phdr(visit, &search);
  return search.found;
}

/// "0.3.21" of "libopenblasp-r0.3.21.so"; "" when the name has no version.
std::string openblas_version(const std::string& file) {
  const std::size_t begin = file.find("-r");
  if (begin == std::string::npos) return "";
  const std::size_t end = file.find_first_not_of("0123456789.", begin + 2);
  std::string version = file.substr(begin + 2, end == std::string::npos ? end : end - begin - 2);
  while (version.ends_with('.')) version.pop_back();
  return version;
}

struct Blas {
  std::string name;
  bool reference = false;
};

/// Debian's alternatives make libblas.so.3 a link into a folder per implementation (blas, openblas-openmp,
/// atlas, ...).
Blas loaded_blas() {
  if (const fs::path path = loaded_object({"libopenblas"}); !path.empty()) {
    const std::string folder = path.parent_path().filename().string(), file = path.filename().string();
    const std::string version = openblas_version(file);
    if (version.empty()) return {file};
    const std::string library = folder.starts_with("openblas") ? folder : "openblas";
    return {fmt::format("lib{} {} ({})", library, version, loaded_openblas_kernels())};
  }
  if (const fs::path path = loaded_object({"libmkl_", "libblis", "libflexiblas", "libsatlas", "libtatlas"});
      !path.empty()) {
    return {path.filename().string()};
  }
  if (const fs::path path = loaded_object({"libblas"}); !path.empty()) {
    const std::string folder = path.parent_path().filename().string();
    for (const std::string_view optimised : {"openblas", "atlas", "blis", "mkl"}) {
      if (folder.find(optimised) != std::string::npos) return {fmt::format("lib{}", folder)};
    }
    return {path.filename().string(), true};
  }
  return {at::hasMKL() ? "MKL inside LibTorch" : "inside LibTorch"};
}

}  // namespace

void use_threads(int threads) {
  constexpr int most = 1024;
  if (threads < 0 || threads > most)
    fail_usage("threads must be 0 (every core) to {}, not {}", most, threads);
  at::set_num_threads(threads == 0 ? usable_cores() : threads);
}

void keep_freed_memory() {
#ifdef __GLIBC__
  constexpr int largest_threshold = 32 << 20;  // glibc refuses more
  mallopt(M_MMAP_THRESHOLD, largest_threshold);
  mallopt(M_TRIM_THRESHOLD, std::numeric_limits<int>::max());
  mallopt(M_TOP_PAD, 64 << 20);
#endif
}

Machine describe_machine() {
  const auto facts = processor_facts();
  const Blas blas = loaded_blas();
  Machine machine;
  machine.processor = fact(facts, {"model name", "Model", "Processor", "cpu"});
  if (machine.processor.empty()) machine.processor = machine_name();
  machine.cores = usable_cores();
  machine.threads = at::get_num_threads();
  machine.blas = blas.name;
  machine.reference_blas = blas.reference;
  machine.libtorch = TORCH_VERSION;
  machine.libtorch_folder = loaded_object({"libtorch_cpu"}).parent_path().string();
  machine.vector_extensions = vector_flags(fact(facts, {"flags", "Features"}));
  machine.bfloat16 = machine.vector_extensions.find("bf16") != std::string::npos;
  machine.memory_bytes = std::int64_t{::sysconf(_SC_PHYS_PAGES)} * ::sysconf(_SC_PAGE_SIZE);
  return machine;
}

nlohmann::json to_json(const Machine& machine) {
  return {{"processor", machine.processor},
          {"cores", machine.cores},
          {"threads", machine.threads},
          {"blas", machine.blas},
          {"reference_blas", machine.reference_blas},
          {"libtorch", machine.libtorch},
          {"vector_extensions", machine.vector_extensions},
          {"bfloat16", machine.bfloat16},
          {"memory_bytes", machine.memory_bytes}};
}

std::int64_t peak_memory_bytes() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return std::int64_t{usage.ru_maxrss} * 1024;
}

}  // namespace whence
