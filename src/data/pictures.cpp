#include "whence/data/pictures.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <iterator>
#include <optional>

#include "data/digest.h"
#include "data/paths.h"
#include "data/picture_files.h"
#include "whence/core/error.h"
#include "whence/core/files.h"

namespace fs = std::filesystem;

namespace whence::data {
namespace {

constexpr double test_share = 0.15;
constexpr double validation_share = 0.1;
constexpr std::array validation_names = {"validation", "valid", "val"};

struct Picture {
  std::string digest;  // of the pixels as stored
  at::Tensor image;    // (1, C, H, W) in the form asked for
  std::int64_t label;
  fs::path path;
};
using Pictures = std::vector<Picture>;

bool has_picture_ending(const fs::path& path) {
  std::string ending = path.extension().string();
  for (char& letter : ending) letter = static_cast<char>(std::tolower(static_cast<unsigned char>(letter)));
  return ending == ".png" || ending == ".jpg" || ending == ".jpeg";
}

bool is_hidden(const fs::path& path) { return path.filename().string().starts_with('.'); }

/// What `folder` holds and `wanted` accepts, sorted by name; nothing when it cannot be read.
template <class Wanted>
std::vector<fs::path> entries(const fs::path& folder, Wanted&& wanted) {
  std::vector<fs::path> paths;
  std::error_code error;
  for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    if (!is_hidden(at->path()) && wanted(*at)) paths.push_back(at->path());
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

/// In `folder` and the folders below it.
std::vector<fs::path> picture_files(const fs::path& folder, EmptyFiles empty) {
  std::vector<fs::path> files = entries(folder, [&](const fs::directory_entry& entry) {
    std::error_code error;
    if (!has_picture_ending(entry.path()) || entry.is_directory(error)) return false;
    return empty == EmptyFiles::refuse || entry.file_size(error) > 0;
  });
  const auto is_below = [](const fs::directory_entry& entry) {
    return is_folder(entry.path()) && !entry.is_symlink();
  };
  for (const fs::path& below : entries(folder, is_below)) {
    const std::vector<fs::path> more = picture_files(below, empty);
    files.insert(files.end(), more.begin(), more.end());
  }
  return files;
}

/// The folder of validation images in one that is divided; nullopt when there is none.
std::optional<fs::path> validation_folder(const fs::path& folder) {
  for (const char* name : validation_names)
    if (is_folder(folder / name)) return folder / name;
  return std::nullopt;
}

/// Where the training pictures lie: `folder` itself, or its sub-folder when it is divided.
fs::path training_folder(const fs::path& folder) {
  if (!is_folder(folder / "train")) return folder;
  if (!is_folder(folder / "test") && !validation_folder(folder))
    fail(
        "{} has a folder train, but no folder test or validation beside it; make one, or give the path of "
        "train to divide "
        "its pictures",
        folder.string());
  return folder / "train";
}

std::string extent(const at::Tensor& image) { return fmt::format("{} x {}", image.size(2), image.size(3)); }

void check_same_size(const Pictures& pictures) {
  for (const Picture& picture : pictures) {
    const at::Tensor &image = picture.image, &first = pictures.front().image;
    if (image.size(2) == first.size(2) && image.size(3) == first.size(3)) continue;
    fail(
        "{} is {}, but {} is {}: state the size that all pictures are brought to, such as data.size = [32, "
        "32]",
        picture.path.string(), extent(image), pictures.front().path.string(), extent(first));
  }
}

/// All classes of `folder`, sorted by digest, so that no order of files or classes is left.
Pictures read_pictures(const fs::path& folder, const std::vector<std::string>& classes, const ImageForm& form,
                       EmptyFiles empty) {
  Pictures pictures;
  BadPictures bad;
  for (std::size_t label = 0; label < classes.size(); ++label) {
    const auto files = picture_files(folder / classes[label], empty);
    if (files.empty()) {
      fail("{} has no picture (.png, .jpg, .jpeg): every class needs some",
           (folder / classes[label]).string());
    }
    for (const fs::path& path : files) {
      const at::Tensor pixels = bad.read(path);
      if (!pixels.defined()) continue;
      const std::string_view bytes(static_cast<const char*>(pixels.data_ptr()), pixels.nbytes());
      pictures.push_back(
          {digest_of(bytes), to_form(pixels.unsqueeze(0), form), static_cast<std::int64_t>(label), path});
    }
  }
  bad.check();
  check_same_size(pictures);
  std::stable_sort(pictures.begin(), pictures.end(),
                   [](const Picture& a, const Picture& b) { return a.digest < b.digest; });
  return pictures;
}

/// Takes `share` of a class, at least one, out of `pictures`; equal ones go together.
void hold_back(Pictures& pictures, Pictures& held, std::int64_t label, double share,
               const std::string& name) {
  Pictures own, rest;
  for (Picture& picture : pictures) (picture.label == label ? own : rest).push_back(std::move(picture));
  auto count = std::max<std::size_t>(
      1, static_cast<std::size_t>(std::lround(share * static_cast<double>(own.size()))));
  while (count < own.size() && own[count].digest == own[count - 1].digest) ++count;
  if (count >= own.size()) {
    fail("class {} has too few different pictures ({}) to hold some back for validation and test", name,
         own.size());
  }
  const auto border = own.begin() + static_cast<std::ptrdiff_t>(count);
  held.insert(held.end(), std::make_move_iterator(own.begin()), std::make_move_iterator(border));
  rest.insert(rest.end(), std::make_move_iterator(border), std::make_move_iterator(own.end()));
  pictures = std::move(rest);
}

Pictures hold_back(Pictures& pictures, double share, const std::vector<std::string>& classes) {
  Pictures held;
  for (std::size_t label = 0; label < classes.size(); ++label) {
    hold_back(pictures, held, static_cast<std::int64_t>(label), share, classes[label]);
  }
  return held;
}

bool any_coloured(const Pictures& pictures) {
  return std::any_of(pictures.begin(), pictures.end(),
                     [](const Picture& picture) { return picture.image.size(1) == 3; });
}

Dataset to_dataset(Pictures pictures, const std::vector<std::string>& classes, bool coloured) {
  std::stable_sort(pictures.begin(), pictures.end(),
                   [](const Picture& a, const Picture& b) { return a.digest < b.digest; });
  std::vector<at::Tensor> images;
  std::vector<std::int64_t> labels;
  for (const Picture& picture : pictures) {
    images.push_back(coloured ? to_form(picture.image, {{}, Colours::rgb}) : picture.image);
    labels.push_back(picture.label);
  }
  return {at::cat(images), at::tensor(labels, at::kLong), classes};
}

}  // namespace

void check_extent(std::int64_t height, std::int64_t width, const std::string& name) {
  if (height * width > most_pixels) {
    fail("{} is {} x {}, more than {} million pixels; make it smaller", name, height, width,
         most_pixels / 1'000'000);
  }
}

at::Tensor read_picture(const fs::path& path) {
  const std::string bytes = read_file(path), name = path.string();
  if (bytes.empty()) fail("{} is empty; remove it or get it again", name);
  if (is_png(bytes)) return decode_png(bytes, name);
  if (is_jpeg(bytes)) return decode_jpeg(bytes, name);
  fail("{} is neither PNG nor JPEG; remove or convert it", name);
}

at::Tensor BadPictures::read(const fs::path& path) {
  try {
    return read_picture(path);
  } catch (const Error& error) {
    ++count_;
    if (count_ <= most_named) sentences_ += (sentences_.empty() ? "" : "; ") + std::string(error.what());
    return {};
  }
}

void BadPictures::check() const {
  if (count_ == 1) fail("{}", sentences_);
  if (count_ > 1)
    fail("{} pictures cannot be read: {}{}", count_, sentences_, count_ > most_named ? "; and more" : "");
}

std::vector<std::string> picture_classes(const fs::path& folder) {
  const auto is_class = [](const fs::directory_entry& entry) { return is_folder(entry.path()); };
  std::vector<std::string> names;
  for (const fs::path& path : entries(training_folder(folder), is_class))
    names.push_back(path.filename().string());
  return names;
}

Splits load_pictures(const fs::path& folder, const std::vector<std::string>& classes, const ImageForm& form,
                     EmptyFiles empty) {
  if (classes.empty()) fail("{} has no folder of pictures; it needs one for each class", folder.string());
  const auto read = [&](const fs::path& from) { return read_pictures(from, classes, form, empty); };
  const fs::path training = training_folder(folder);
  Pictures train = read(training), validation, test;
  std::string note;
  const std::optional<fs::path> held = training == folder ? std::nullopt : validation_folder(folder);
  if (training == folder) {
    test = hold_back(train, test_share, classes);
  } else if (is_folder(folder / "test")) {
    test = read(folder / "test");
    if (held) validation = read(*held);
  } else {
    test = read(*held);
    note = fmt::format("{} has no folder test, so {} serves as test", folder.string(),
                       held->filename().string());
  }
  if (validation.empty()) validation = hold_back(train, validation_share, classes);
  for (const Pictures* other : {&validation, &test}) check_same_size({train.front(), other->front()});
  const bool coloured = any_coloured(train) || any_coloured(validation) || any_coloured(test);
  return {to_dataset(std::move(train), classes, coloured),
          to_dataset(std::move(validation), classes, coloured),
          to_dataset(std::move(test), classes, coloured), note};
}

}  // namespace whence::data
