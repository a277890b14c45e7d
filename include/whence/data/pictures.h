// Pictures in files: PNG and JPEG, alone or in a folder for each class.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "whence/data/dataset.h"

namespace whence::data {

/// The pixels as stored, uint8 (1, H, W) for a grey file and (3, H, W) for a coloured one; PNG and JPEG are told
/// apart by content. 16-bit PNG is rounded to 8 bits, transparency is laid over white; colour profiles, gamma and
/// the orientation that a camera notes (EXIF) are not applied, as is usual in training. JPEG in printing colours (CMYK) becomes RGB
/// as in Pillow, and bytes between its parts that belong to nothing are passed over. Errors name the file:
/// missing, empty, neither PNG nor JPEG, damaged or cut off, more than 64 million pixels.
at::Tensor read_picture(const std::filesystem::path& path);

enum class Colours { as_they_are, grey, rgb };

/// Reads pictures and collects the errors, so that one message names all bad files.
class BadPictures {
 public:
  /// Undefined where the picture cannot be read.
  at::Tensor read(const std::filesystem::path& path);
  /// Error: every picture that could not be read (at most ten by name), in one sentence.
  void check() const;

 private:
  static constexpr std::int64_t most_named = 10;
  std::int64_t count_ = 0;
  std::string sentences_;
};

/// The form that images are brought to.
struct ImageForm {
  std::vector<std::int64_t> size;  ///< {H, W}; empty: as they are
  Colours colours = Colours::as_they_are;
};

/// uint8 (N, C, H, W), C = 1 or 3, in that form. Grey is 0.299 R + 0.587 G + 0.114 B (ITU-R BT.601). Another size
/// keeps proportions: scaled (triangle filter over the source pixels that a target pixel covers) until H x W is
/// covered, what stands over is cut off evenly.
at::Tensor to_form(const at::Tensor& images, const ImageForm& form);
Dataset to_form(const Dataset& dataset, const ImageForm& form);
Splits to_form(const Splits& splits, const ImageForm& form);

/// How to treat an empty file; published sets hold some.
enum class EmptyFiles { refuse, pass_over };

/// The classes in a folder of pictures, sorted by name: its sub-folders, or those of its sub-folder "train" when it
/// has one. Hidden folders do not count. Empty when there are none.
std::vector<std::string> picture_classes(const std::filesystem::path& folder);

/// Reads `folder`/<class>/*.png, *.jpg and *.jpeg, also in folders below a class; other files are passed over. Where `folder` has
/// sub-folders "train" and "test", and perhaps "validation" ("valid", "val"), these are the splits; without "test", the validation
/// images serve as test, and the splits' note says so. Otherwise 15 % of each class are held
/// back for the test, and where there is no validation split 10 % of each class's training pictures are held back for
/// it. Which ones is decided by their pixels (the smallest SHA-256), so it depends neither on names nor on a seed, and
/// equal pictures of a class stay together. A split lists its pictures in the order of their digests. Grey and
/// coloured pictures together become coloured.
/// Errors: no class; a class without a picture, or with too few different ones to hold some back; those of
/// read_picture; pictures of several sizes when `form` states none.
Splits load_pictures(const std::filesystem::path& folder, const std::vector<std::string>& classes,
                     const ImageForm& form, EmptyFiles empty = EmptyFiles::refuse);

}  // namespace whence::data
