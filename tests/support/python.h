// Outside truth: runs a Python script of tests/ where an interpreter with PyTorch is installed.
#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace whence::test {

/// tests/ of the source tree.
inline std::filesystem::path tests_folder() {
  return std::filesystem::path(__FILE__).parent_path().parent_path();
}

struct ProgramResult {
  int exit_code = 0;
  std::string output;  ///< standard output and standard error
};

inline std::string quoted(const std::string& word) {
  std::string safe = "'";
  for (const char c : word) safe += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return safe + "'";
}

inline ProgramResult run_program(const std::vector<std::string>& words) {
  std::string command;
  for (const std::string& word : words) command += quoted(word) + " ";
  ProgramResult result;
  FILE* pipe = ::popen((command + "2>&1").c_str(), "r");
  if (pipe == nullptr) return {127, "no pipe"};
  char buffer[4096];
  for (std::size_t n = 0; (n = ::fread(buffer, 1, sizeof buffer, pipe)) > 0;) result.output.append(buffer, n);
  const int status = ::pclose(pipe);
  result.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128;
  return result;
}

/// The first of $WHENCE_PYTHON, python3 and /usr/bin/python3 that imports `modules`; nullopt when none does.
inline std::optional<std::string> find_python(const std::string& modules = "torch, numpy") {
  std::vector<std::string> candidates = {"python3", "/usr/bin/python3"};
  if (const char* chosen = ::getenv("WHENCE_PYTHON"); chosen != nullptr)
    candidates.insert(candidates.begin(), chosen);
  for (const std::string& candidate : candidates) {
    if (run_program({candidate, "-c", "import " + modules}).exit_code == 0) return candidate;
  }
  return std::nullopt;
}

/// `script`: relative to tests/, e.g. "verification/read_safetensors.py".
inline ProgramResult run_python(const std::string& python, const std::string& script,
                                const std::vector<std::string>& arguments) {
  std::vector<std::string> words = {python, "-B", (tests_folder() / script).string()};
  words.insert(words.end(), arguments.begin(), arguments.end());
  return run_program(words);
}

}  // namespace whence::test

/// Declares `python`, or skips the test and says so.
// NOLINTBEGIN(bugprone-macro-parentheses): what is declared is a name
#define WHENCE_REQUIRE_PYTHON(python, modules)                                             \
  const std::optional<std::string> python##_found = ::whence::test::find_python(modules);  \
  if (!python##_found) GTEST_SKIP() << "no Python interpreter here imports " << (modules); \
  const std::string& python = *python##_found
// NOLINTEND(bugprone-macro-parentheses)
