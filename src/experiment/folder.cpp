#include "experiment/folder.h"

#include "whence/core/error.h"

namespace whence::experiment {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kLock = ".lock";
constexpr std::string_view kStages = ".stages";
constexpr std::string_view kRecipe = "recipe.toml";

/// A folder of somebody's other files is not to be mixed with a run.
void check_is_run(const RunFolder& folder) {
  if (folder.exists()) return;
  for (const auto& entry : fs::directory_iterator(folder.path())) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with('.')) continue;
    fail("{} holds '{}' but no recipe.toml: it is not a run folder; give another one with --out",
         folder.path().string(), name);
  }
}

}  // namespace

fs::path RunFolder::stamp(std::string_view stage) const {
  return path_ / kStages / (std::string(stage) + ".json");
}

fs::path RunFolder::checkpoint(std::string_view stage) const {
  return path_ / kStages / (std::string(stage) + ".checkpoint.safetensors");
}

bool RunFolder::exists() const {
  std::error_code error;
  return fs::exists(path_ / kRecipe, error);
}

fs::path RunFolder::recipe() const {
  if (!exists()) {
    fail("{} is not a run folder: it has no {}; `whence run RECIPE --out DIR` makes one", path_.string(),
         kRecipe);
  }
  return path_ / kRecipe;
}

fs::path default_folder(const fs::path& recipe) {
  const fs::path absolute = fs::absolute(recipe).lexically_normal();
  fs::path below = absolute.filename();
  for (fs::path parent = absolute.parent_path(); parent.has_relative_path(); parent = parent.parent_path()) {
    if (parent.filename() == "recipes") below = absolute.lexically_relative(parent);
  }
  return fs::path("runs") / below.replace_extension();
}

FolderLock::FolderLock(const RunFolder& folder) {
  const std::string path = folder.path().string();
  std::error_code error;
  if (fs::is_directory(folder.path(), error)) check_is_run(folder);
  fs::create_directories(folder.path() / kStages, error);
  if (error) {
    fail("the run folder {} cannot be made: {}; give another one with --out", path, error.message());
  }
  lock_.emplace(folder / kLock);
  if (lock_->taken())
    fail("another whence is working in the run folder {}; wait for it, or give another folder with --out",
         path);
  if (!lock_->held())
    fail("the run folder {} cannot be written to: {}; give another one with --out", path, lock_->reason());
}

}  // namespace whence::experiment
