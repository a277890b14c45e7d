#include <fmt/ranges.h>

#include <numeric>

#include "data/layout.h"
#include "data/paths.h"
#include "whence/core/error.h"
#include "whence/data/cifar.h"

namespace fs = std::filesystem;

namespace whence::data {
namespace {

void check_folder(const fs::path& folder, std::string_view content) {
  if (!is_folder(folder))
    fail("{} is not a folder; give the path of the one that holds {}", folder.string(), content);
}

[[noreturn]] void fail_not_found(const KnownSet& set, const std::optional<fs::path>& path) {
  if (path) {
    check_folder(*path, set.title);
    const Layout layout = set.layouts.front();
    fail("{} lacks {}{} of {}", path->string(), fmt::join(missing(*path, layout, set.class_names), ", "),
         layout == Layout::idx ? " (plain or with .gz)" : "", set.title);
  }
  std::string looked;
  for (const fs::path& folder : usual_folders(set)) looked += (looked.empty() ? "" : ", ") + folder.string();
  const std::string provider =
      set.package.empty() ? "" : fmt::format("`apt-get install {}`, or ", set.package);
  fail(
      "{} was not found (looked in {}): {}`whence data fetch {}`, or name its folder: data.path in a recipe, "
      "or the "
      "environment variable WHENCE_DATA",
      set.title, looked, provider, set.name);
}

struct Files {
  Dataset train, test;
  fs::path train_file, test_file;  // what errors name
};

Files read_idx_files(const fs::path& folder, const std::vector<std::string>& class_names) {
  const auto file = [&](std::string_view name) { return find_file(folder, name).value_or(folder / name); };
  return {load_idx_pair(file(idx_train_images), file(idx_train_labels), class_names),
          load_idx_pair(file(idx_test_images), file(idx_test_labels), class_names), file(idx_train_images),
          file(idx_test_images)};
}

/// The names that lie with the batches, if they do.
std::vector<std::string> names_beside(const fs::path& folder, const std::vector<std::string>& usual) {
  if (!find_file(folder, cifar_names)) return usual;
  const std::vector<std::string> names = read_cifar_names(folder / cifar_names);
  if (names.size() != usual.size()) {
    fail("{} names {} classes, not {}; get it again or remove it", (folder / cifar_names).string(),
         names.size(), usual.size());
  }
  return names;
}

Files read_cifar_files(const fs::path& folder, const std::vector<std::string>& class_names) {
  std::vector<fs::path> batches;
  for (const char* name : cifar_train) batches.push_back(folder / name);
  const std::vector<std::string> names = names_beside(folder, class_names);
  return {read_cifar(batches, names), read_cifar({folder / cifar_test}, names), folder / cifar_train.back(),
          folder / cifar_test};
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

Splits split(const Files& files, const KnownSet& set) {
  if (set.validation_from_train > 0) {
    auto [train, validation] = cut(files.train, set.validation_from_train, false, files.train_file);
    return {train, validation, files.test};
  }
  auto [validation, test] = cut(files.test, set.validation_from_test, true, files.test_file);
  return {files.train, validation, test};
}

void select(Dataset& dataset, const std::vector<std::int64_t>& classes, std::string_view title,
            std::string_view part) {
  try {
    dataset = select_classes(dataset, classes);
  } catch (const Error& error) {
    throw Error(fmt::format("{}, {} images: {}", title, part, error.what()), error.code());
  }
}

void select(Splits& splits, const std::vector<std::int64_t>& classes, std::string_view title) {
  select(splits.train, classes, title, "training");
  if (splits.has_validation()) select(splits.validation, classes, title, "validation");
  select(splits.test, classes, title, "test");
}

/// Error: labels that begin above 0, which happens where the first class is called 1.
void check_begin(const Dataset& train, const fs::path& folder) {
  const auto least = train.labels.min().item<std::int64_t>(), most = train.labels.max().item<std::int64_t>();
  if (least == 0) return;
  std::vector<std::int64_t> labels;
  for (std::int64_t label = least; label <= most; ++label) labels.push_back(label);
  fail(
      "the labels in {} run from {} to {}, not from 0; name the classes with --classes {} (data.classes = "
      "[{}] in a recipe)",
      folder.string(), least, most, fmt::join(labels, ","), fmt::join(labels, ", "));
}

}  // namespace

Splits load(const KnownSet& set, const std::vector<std::int64_t>& classes,
            const std::optional<fs::path>& path, const ImageForm& form) {
  const auto place = locate(set, path);
  if (!place) fail_not_found(set, path);
  Splits splits;
  if (place->layout == Layout::pictures) {
    splits = load_pictures(place->folder, set.class_names, form, EmptyFiles::pass_over);
  } else if (place->layout == Layout::cifar) {
    splits = split(read_cifar_files(place->folder, set.class_names), set);
  } else {
    splits = split(read_idx_files(place->folder, set.class_names), set);
  }
  if (!classes.empty()) select(splits, classes, set.title);
  return to_form(splits, form);
}

Splits load_own(const fs::path& folder, Layout layout, const std::vector<std::string>& class_names,
                const std::vector<std::int64_t>& classes, const ImageForm& form) {
  check_folder(folder, description_of(layout));
  if (const auto lacks = missing(folder, layout, {}); !lacks.empty()) {
    fail("{} lacks {}, so it does not hold {}", folder.string(), fmt::join(lacks, ", "),
         description_of(layout));
  }
  Splits splits;
  if (layout == Layout::pictures) {
    splits = load_pictures(folder, picture_classes(folder), form);
  } else {
    const Files files = layout == Layout::cifar ? read_cifar_files(folder, known_set("cifar10").class_names)
                                                : read_idx_files(folder, class_names);
    splits = {files.train, {}, files.test};
  }
  std::vector<std::int64_t> wanted = classes;
  if (wanted.empty() && layout == Layout::idx) check_begin(splits.train, folder);
  if (wanted.empty()) {  // selecting them all finds the ones that have no image
    wanted.resize(splits.train.class_names.size());
    std::iota(wanted.begin(), wanted.end(), 0);
  }
  select(splits, wanted, folder.string());
  return to_form(splits, form);
}

}  // namespace whence::data
