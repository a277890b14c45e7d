// What lies at a path; "nothing" where it cannot be read.
#pragma once

#include <filesystem>

namespace whence::data {

inline bool is_folder(const std::filesystem::path& path) {
  std::error_code error;
  return std::filesystem::is_directory(path, error);
}

inline bool is_file(const std::filesystem::path& path) {
  std::error_code error;
  return std::filesystem::exists(path, error) && !is_folder(path);
}

}  // namespace whence::data
