// Errors that a user can cause, and how the program reports them.
#pragma once

#include <fmt/core.h>

#include <stdexcept>
#include <string>
#include <utility>

namespace whence {

/// Exit codes of the program (documented in the README).
enum class ExitCode { done = 0, failed = 1, usage = 2, interrupted = 130 };

/// The one exception type for errors that a user can cause. Its text is one sentence: what is wrong, where, what to do.
/// Programming errors (shapes that code, not a user, got wrong) use TORCH_CHECK instead.
class Error : public std::runtime_error {
 public:
  explicit Error(const std::string& sentence, ExitCode code = ExitCode::failed)
      : std::runtime_error(sentence), code_(code) {}
  ExitCode code() const { return code_; }

 private:
  ExitCode code_;
};

/// Throws an Error that ends the program with exit code 1: a file, a model or a machine is not as it must be.
template <class... Args>
[[noreturn]] void fail(fmt::format_string<Args...> format, Args&&... args) {
  throw Error(fmt::format(format, std::forward<Args>(args)...));
}

/// Throws an Error that ends the program with exit code 2: the command line or the recipe is wrong.
template <class... Args>
[[noreturn]] void fail_usage(fmt::format_string<Args...> format, Args&&... args) {
  throw Error(fmt::format(format, std::forward<Args>(args)...), ExitCode::usage);
}

/// The text of any exception as one line for a person: LibTorch's without its backtrace and source positions.
std::string sentence_of(const std::exception& error);

}  // namespace whence
