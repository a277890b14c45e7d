// A run is a folder: its files, its lock, and the stamps of finished stages.
//
//   recipe.toml  run.json  metrics.json  log.jsonl  report.html  figures/
//   classifier.safetensors  encoder.safetensors  decoder.safetensors  test-bounds.safetensors
//   .stages/NAME.json        stamps: the inputs of a stage and what it measured
//   .stages/NAME.checkpoint.safetensors   a training that was interrupted
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "whence/platform/file_lock.h"

namespace whence::experiment {

class RunFolder {
 public:
  explicit RunFolder(std::filesystem::path path) : path_(std::move(path)) {}

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path operator/(std::string_view name) const { return path_ / name; }
  std::filesystem::path stamp(std::string_view stage) const;
  std::filesystem::path checkpoint(std::string_view stage) const;
  bool exists() const;  ///< it holds a recipe.toml
  /// The path of its recipe.toml. Error: it has none.
  std::filesystem::path recipe() const;

 private:
  std::filesystem::path path_;
};

/// runs/gce/fmnist-034 for any .../recipes/gce/fmnist-034.toml; runs/NAME for a recipe elsewhere.
std::filesystem::path default_folder(const std::filesystem::path& recipe);

/// Makes the folder and keeps other processes from writing to it until this object ends. Errors: a folder
/// that cannot be made or written to, one that holds other things than a run, one that another process writes
/// to.
class FolderLock {
 public:
  explicit FolderLock(const RunFolder& folder);

 private:
  std::optional<FileLock> lock_;
};

/// The result of a stage. A stage with the inputs of its finished stamp is not repeated.
// NOLINTNEXTLINE(bugprone-exception-escape): json moves do not throw, but clang-tidy cannot see it
struct Stamp {
  bool finished = false;    ///< false: begun, perhaps with a checkpoint
  nlohmann::json inputs;    ///< {"recipe": {key: value}, "content": ..., "after": {stage: fingerprint}}
  std::string fingerprint;  ///< of this very execution; later stages depend on it
  double seconds = 0;       ///< that it took, all its parts
  std::int64_t peak_memory_bytes = 0;
  nlohmann::json metrics;             ///< its part of metrics.json
  std::vector<std::string> products;  ///< files, relative to the folder
};

/// An unfinished, empty stamp when there is none. Error: a damaged file.
Stamp read_stamp(const RunFolder& folder, std::string_view stage);
void write_stamp(const RunFolder& folder, std::string_view stage, const Stamp& stamp);

/// 64-bit FNV-1a, in hexadecimal: to notice change, not to keep secrets.
std::string fingerprint_of(std::string_view bytes);

}  // namespace whence::experiment
