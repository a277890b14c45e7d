#include "whence/data/known.h"

#include <fmt/ranges.h>

#include <array>
#include <cstdlib>

#include "whence/core/error.h"
#include "whence/core/names.h"

namespace fs = std::filesystem;

namespace whence::data {
namespace {

constexpr std::string_view train_images = "train-images-idx3-ubyte";
constexpr std::string_view train_labels = "train-labels-idx1-ubyte";
constexpr std::string_view test_images = "t10k-images-idx3-ubyte";
constexpr std::string_view test_labels = "t10k-labels-idx1-ubyte";
constexpr std::array four_files = {train_images, train_labels, test_images, test_labels};

const std::vector<KnownSet>& table() {
  static const std::vector<KnownSet> sets = {
      {.name = "mnist",
       .title = "MNIST",
       .class_names = {"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"},
       .folders = {},
       .package = "",
       .validation_from_train = 10'000},
      {.name = "fashion-mnist",
       .title = "Fashion-MNIST",
       .class_names = {"T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker",
                       "Bag", "Ankle boot"},
       .folders = {"/usr/share/datasets/fashion-mnist"},
       .package = "dataset-fashion-mnist",
       .validation_from_test = 6'000},
      {.name = "notmnist",
       .title = "notMNIST",
       .class_names = {"A", "B", "C", "D", "E", "F", "G", "H", "I", "J"},
       .folders = {},
       .package = "",
       .validation_from_train = 1'600},
  };
  return sets;
}

/// The file in `folder`, plain before compressed; nullopt when there is neither.
std::optional<fs::path> find_file(const fs::path& folder, std::string_view name) {
  for (const std::string_view ending : {"", ".gz"}) {
    fs::path path = folder / (std::string(name) + std::string(ending));
    std::error_code error;
    if (fs::exists(path, error) && !fs::is_directory(path, error)) return path;
  }
  return std::nullopt;
}

std::vector<std::string_view> missing_files(const fs::path& folder) {
  std::vector<std::string_view> missing;
  for (const std::string_view name : four_files) {
    if (!find_file(folder, name)) missing.push_back(name);
  }
  return missing;
}

/// The files of all sets have the same names: only the folder's tells them apart.
bool belongs_to_another(const fs::path& folder, const KnownSet& set) {
  const fs::path name = folder.has_filename() ? folder.filename() : folder.parent_path().filename();
  return std::any_of(table().begin(), table().end(),
                     [&](const KnownSet& other) { return other.name != set.name && name == other.name; });
}

std::vector<fs::path> usual_folders(const KnownSet& set) {
  std::vector<fs::path> folders;
  if (const char* root = std::getenv("WHENCE_DATA"); root != nullptr && *root != '\0') {
    folders.push_back(fs::path(root) / set.name);
    if (!belongs_to_another(root, set)) folders.emplace_back(root);
  }
  folders.push_back(fs::path("data") / set.name);
  folders.insert(folders.end(), set.folders.begin(), set.folders.end());
  return folders;
}

[[noreturn]] void fail_not_found(const KnownSet& set, const std::optional<fs::path>& path) {
  if (path) {
    fail("{} lacks {} (plain or with .gz) of {}", path->string(), fmt::join(missing_files(*path), ", "),
         set.title);
  }
  std::string looked;
  for (const fs::path& folder : usual_folders(set)) looked += (looked.empty() ? "" : ", ") + folder.string();
  const std::string provider =
      set.package.empty() ? "" : fmt::format("`apt-get install {}`, or ", set.package);
  fail("{} was not found (looked in {}): {}give the folder of its four IDX files as path or WHENCE_DATA",
       set.title, looked, provider);
}

struct Parts {
  Dataset first, second;
};

/// Cuts the last `count` images off, or, with `from_start`, the first; something must be left.
Parts cut(const Dataset& dataset, std::int64_t count, bool from_start, const fs::path& file) {
  if (dataset.size() <= count) {
    fail("{} has {} images, but {} of them are for validation and some must be left", file.string(),
         dataset.size(), count);
  }
  const std::int64_t border = from_start ? count : dataset.size() - count;
  return {slice(dataset, 0, border), slice(dataset, border, dataset.size() - border)};
}

void select(Dataset& dataset, const std::vector<std::int64_t>& classes, const KnownSet& set,
            std::string_view split) {
  try {
    dataset = select_classes(dataset, classes);
  } catch (const Error& error) {
    throw Error(fmt::format("{}, {} images: {}", set.title, split, error.what()), error.code());
  }
}

}  // namespace

std::span<const KnownSet> known_sets() { return table(); }

const KnownSet& known_set(std::string_view name) {
  std::vector<std::string_view> names;
  for (const KnownSet& set : table()) {
    if (set.name == name) return set;
    names.push_back(set.name);
  }
  fail_usage("there is no data set '{}'{}; known are {}", name, did_you_mean(name, names),
             fmt::join(names, ", "));
}

std::optional<fs::path> locate(const KnownSet& set, const std::optional<fs::path>& path) {
  for (const fs::path& folder : path ? std::vector<fs::path>{*path} : usual_folders(set)) {
    if (missing_files(folder).empty()) return folder;
  }
  return std::nullopt;
}

Splits load(const KnownSet& set, const std::vector<std::int64_t>& classes,
            const std::optional<fs::path>& path) {
  const auto folder = locate(set, path);
  if (!folder) fail_not_found(set, path);
  const auto file = [&](std::string_view name) { return find_file(*folder, name).value_or(*folder / name); };
  Splits splits;
  splits.train = load_idx_pair(file(train_images), file(train_labels), set.class_names);
  splits.test = load_idx_pair(file(test_images), file(test_labels), set.class_names);
  if (set.validation_from_train > 0) {
    auto [train, validation] = cut(splits.train, set.validation_from_train, false, file(train_images));
    splits.train = train;
    splits.validation = validation;
  } else {
    auto [validation, test] = cut(splits.test, set.validation_from_test, true, file(test_images));
    splits.validation = validation;
    splits.test = test;
  }
  if (!classes.empty()) {
    select(splits.train, classes, set, "training");
    select(splits.validation, classes, set, "validation");
    select(splits.test, classes, set, "test");
  }
  return splits;
}

}  // namespace whence::data
