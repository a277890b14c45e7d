// Runs the program in a folder of its own and looks at what it leaves.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "unit/experiment/support.h"

namespace whence::test_support {

struct Outcome {
  int code = 0;  ///< exit code, or 128 + the signal that ended it
  std::string out, err;
};

/// One process of the program; what it prints goes to files in `folder`.
class Process {
 public:
  struct Options {
    std::filesystem::path standard_output;  ///< empty: a file in the folder
    std::int64_t largest_file = 0;  ///< bytes a file may have before writing fails, as on a full disk; 0: any
    bool bound_by_permissions = false;  ///< even when the tests run as root
  };

  Process(const std::filesystem::path& folder, const std::vector<std::string>& arguments,
          const Options& options);
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  /// Waits until `condition` holds; false when the process ended or a minute passed before.
  bool wait_until(const std::function<bool()>& condition);
  void signal(int number) const;
  Outcome wait();

 private:
  bool ended(bool wait_for_it);

  pid_t process_ = -1;
  int status_ = 0;
  bool ended_ = false;
  std::filesystem::path out_, err_;
};

/// A temporary folder that the program runs in.
class Workplace {
 public:
  const std::filesystem::path& path() const { return folder_.path(); }
  std::filesystem::path operator/(const std::string& name) const { return folder_ / name; }

  Outcome run(const std::vector<std::string>& arguments) const;
  Outcome run(const std::vector<std::string>& arguments, const Process::Options& options) const;
  /// Fails the test unless the exit code is 0.
  Outcome must_run(const std::vector<std::string>& arguments) const;

 private:
  test::TemporaryFolder folder_;
};

/// metrics.json without what time and memory it took.
nlohmann::json without_costs(nlohmann::json metrics);

/// One sentence on stderr that begins with "whence: " and holds `part`, nothing on stdout.
::testing::AssertionResult is_error(const Outcome& outcome, int code, const std::string& part);

}  // namespace whence::test_support
