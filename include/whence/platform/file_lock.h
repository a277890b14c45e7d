// One process at a time.
#pragma once

#include <filesystem>
#include <string>

namespace whence {

/// Asks for the file `path` (made when it is not there) for this process alone, until the object ends; does not wait.
/// The caller decides what a refused lock means.
class FileLock {
 public:
  explicit FileLock(const std::filesystem::path& path);
  ~FileLock();
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;

  bool held() const { return error_ == 0; }
  /// Not held because another process holds it; any other reason lies in the file system.
  bool taken() const;
  /// The system's words for why it is not held.
  std::string reason() const;

 private:
  int descriptor_ = -1;
  int error_ = 0;
};

}  // namespace whence
