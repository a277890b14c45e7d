#include <algorithm>
#include <cstdlib>

#include "data/layout.h"
#include "data/paths.h"

namespace fs = std::filesystem;

namespace whence::data {
namespace {

std::vector<std::string> missing_idx(const fs::path& folder) {
  std::vector<std::string> names;
  for (const auto name : {idx_train_images, idx_train_labels, idx_test_images, idx_test_labels}) {
    if (!find_file(folder, name)) names.emplace_back(name);
  }
  return names;
}

std::vector<std::string> missing_cifar(const fs::path& folder) {
  std::vector<std::string> names(cifar_train.begin(), cifar_train.end());
  names.emplace_back(cifar_test);
  std::erase_if(names, [&](const std::string& name) { return is_file(folder / name); });
  return names;
}

std::vector<std::string> missing_trees(const fs::path& folder) {
  std::vector<std::string> names(tree_files.begin(), tree_files.end());
  std::erase_if(names, [&](const std::string& name) { return is_file(folder / name); });
  return names;
}

std::vector<std::string> missing_pictures(const fs::path& folder, std::vector<std::string> classes) {
  const std::vector<std::string> present = picture_classes(folder);
  if (classes.empty() && present.empty()) return {"a folder for each class"};
  std::erase_if(classes, [&](const std::string& name) {
    return std::find(present.begin(), present.end(), name) != present.end();
  });
  return classes;
}

/// The files of several sets have the same names: only the folder's tells them apart.
bool belongs_to_another(const fs::path& folder, const KnownSet& set) {
  const fs::path name = folder.has_filename() ? folder.filename() : folder.parent_path().filename();
  const auto sets = known_sets();
  return std::any_of(sets.begin(), sets.end(),
                     [&](const KnownSet& other) { return other.name != set.name && name == other.name; });
}

/// An environment variable that is set and not empty.
std::optional<fs::path> path_in(const char* variable) {
  const char* value = std::getenv(variable);
  if (value == nullptr || *value == '\0') return std::nullopt;
  return value;
}

/// `folder`, and in it what the set's archive would make.
std::vector<fs::path> with_archive_folder(const fs::path& folder, const KnownSet& set) {
  if (set.archive_folder.empty()) return {folder};
  return {folder, folder / set.archive_folder};
}

}  // namespace

std::optional<fs::path> find_file(const fs::path& folder, std::string_view name) {
  std::vector<std::string> bases = {std::string(name)};
  if (const std::size_t at = name.find("-idx"); at != std::string::npos) {
    // "train-images.idx3-ubyte", as some programs unpack it; "-idx4-" of images that have channels
    bases.push_back(bases.front());
    bases.back()[at] = '.';
    if (name.find("-idx3") == at) {
      bases.push_back(bases.front());
      bases.back()[at + 4] = '4';
    }
  }
  for (const std::string& base : bases) {
    for (const std::string_view ending : {"", ".gz"}) {
      fs::path path = folder / (base + std::string(ending));
      if (is_file(path)) return path;
    }
  }
  return std::nullopt;
}

std::vector<std::string> missing(const fs::path& folder, Layout layout,
                                 const std::vector<std::string>& classes) {
  switch (layout) {
    case Layout::idx:
      return missing_idx(folder);
    case Layout::cifar:
      return missing_cifar(folder);
    case Layout::trees:
      return missing_trees(folder);
    case Layout::pictures:
      break;
  }
  return missing_pictures(folder, classes);
}

fs::path data_home() {
  if (const auto home = path_in("XDG_DATA_HOME")) return *home / "whence";
  return path_in("HOME").value_or(".") / ".local/share/whence";
}

std::vector<fs::path> usual_folders(const KnownSet& set) {
  std::vector<fs::path> roots = {"data", data_home()};
  if (const auto root = path_in("WHENCE_DATA")) roots.insert(roots.begin(), *root);
  std::vector<fs::path> folders;
  for (const fs::path& root : roots) {
    folders.push_back(root / set.name);
    if (!belongs_to_another(root, set)) folders.push_back(root);
  }
  folders.insert(folders.end(), set.folders.begin(), set.folders.end());
  return folders;
}

std::optional<Layout> layout_of(const fs::path& folder) {
  for (const Layout layout : {Layout::idx, Layout::cifar, Layout::pictures}) {
    if (missing(folder, layout, {}).empty()) return layout;
  }
  return std::nullopt;
}

std::optional<Place> locate(const KnownSet& set, const std::optional<fs::path>& path) {
  for (const fs::path& place : path ? std::vector<fs::path>{*path} : usual_folders(set)) {
    for (const fs::path& folder : with_archive_folder(place, set)) {
      for (const Layout layout : set.layouts) {
        if (missing(folder, layout, set.class_names).empty()) return Place{folder, layout};
      }
    }
  }
  return std::nullopt;
}

}  // namespace whence::data
