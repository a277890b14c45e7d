// Work that several processes share, on one machine or on many with a common folder: who does what.
#pragma once

#include <chrono>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace whence {

/// A file `path` that says that this process, and no other, does something; it goes when the object ends. While it lives, its time is
/// set to now every ten seconds, so that others see that the process has not died.
class Claim {
 public:
  ~Claim();
  Claim(const Claim&) = delete;
  Claim& operator=(const Claim&) = delete;

 private:
  friend class Claims;
  class Heart;
  Claim(std::filesystem::path path, std::string owner, std::vector<std::filesystem::path> made);

  std::filesystem::path path_;
  std::string owner_;
  std::vector<std::filesystem::path> made_;  ///< folders that the claim made, the lowest first
  std::unique_ptr<Heart> heart_;
};

/// Asks for claims. The file is made with O_EXCL, which file systems of clusters keep (NFS from version 3 on), and holds machine, process
/// and start time of its owner. A claim of a dead process is taken over: of one on this machine at once; of another machine when its
/// file's time has not changed for `patience` by this machine's clock, so that clocks need not agree.
class Claims {
 public:
  static constexpr std::chrono::seconds kPatience{120};
  explicit Claims(std::chrono::milliseconds patience = kPatience) : patience_(patience) {}

  /// Null where another process has it; does not wait. Makes the folder, which goes with the claim if nothing else was put into it. Error: a file that cannot be made.
  std::unique_ptr<Claim> ask(const std::filesystem::path& path);
  /// Who has it, "process 17 on host"; "" where nobody does.
  static std::string owner(const std::filesystem::path& path);

 private:
  struct Sight {
    std::string owner;
    std::filesystem::file_time_type time;
    std::chrono::steady_clock::time_point since;
  };
  bool is_stale(const std::filesystem::path& path, const std::string& owner);

  std::chrono::milliseconds patience_;
  std::map<std::filesystem::path, Sight> seen_;
};

}  // namespace whence
