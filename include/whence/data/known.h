// The data sets whence knows by name, where they and the user's own lie on a machine, and how they are split.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "whence/data/dataset.h"
#include "whence/data/pictures.h"

namespace whence::data {

/// How a data set lies in its folder.
enum class Layout {
  idx,    ///< four IDX files (train/test images/labels; each plain or .gz)
  cifar,  ///< data_batch_1.bin .. data_batch_5.bin, test_batch.bin and perhaps batches.meta.txt (data/cifar.h)
  pictures,  ///< a folder of pictures for each class (data/pictures.h)
  trees,     ///< train.txt, dev.txt and test.txt with a tree a line (data/text/trees.h)
};

/// "four IDX files", ...
std::string_view description_of(Layout layout);

/// A published data set, and how the papers split it.
struct KnownSet {
  std::string_view name;   ///< "fashion-mnist"
  std::string_view title;  ///< "Fashion-MNIST"
  std::vector<std::string> class_names;
  std::vector<Layout> layouts = {Layout::idx};  ///< in which it is looked for, the first before the others
  std::string_view archive_folder;              ///< what its archive calls the folder; "" when it has none
  std::vector<std::string_view> folders;        ///< where systems put it, besides the usual places
  std::string_view package;                     ///< Debian package that has it, or ""
  /// How many images the splits have by file index. Validation is cut from the end of the training files
  /// (validation_from_train) or from the start of the test file (validation_from_test); the other is 0. Pictures
  /// have no index: load_pictures splits them.
  std::int64_t validation_from_train = 0;
  std::int64_t validation_from_test = 0;
};

/// mnist (train/validation/test 50,000/10,000/10,000 by file index), fashion-mnist (60,000/6,000/4,000), cifar10
/// (40,000/10,000/10,000), notmnist (the small set; as IDX 14,400/1,600/2,724: no text states a split, so
/// validation is the last tenth of the training file; as pictures see load_pictures).
std::span<const KnownSet> known_sets();
/// Sets of texts: sst.
std::span<const KnownSet> known_texts();
/// Of images. Error (usage): unknown; names the nearest known one.
const KnownSet& known_set(std::string_view name);

/// Of images: how the data in `folder` lies there; pictures are recognised by sub-folders. nullopt when there is none of it.
std::optional<Layout> layout_of(const std::filesystem::path& folder);

struct Place {
  std::filesystem::path folder;
  Layout layout;
};

/// Where the set lies: in `path` if given; else in <root>/<name> or <root> (unless it bears the name of another set:
/// the files of several have the same names) for the roots WHENCE_DATA, ./data and data_home(), then in the set's
/// own folders; each of them also under the name that the set's archive gives it. nullopt when none has all of it.
std::optional<Place> locate(const KnownSet& set, const std::optional<std::filesystem::path>& path = {});

/// Where data sets of this user belong: XDG_DATA_HOME/whence, by default ~/.local/share/whence.
std::filesystem::path data_home();

/// Loads and splits; with `classes` (empty: all) selects and relabels; brings images to `form`. Error when not found:
/// says where it looked and which package or command would provide it.
Splits load(const KnownSet& set, const std::vector<std::int64_t>& classes,
            const std::optional<std::filesystem::path>& path = {}, const ImageForm& form = {});

/// A folder of the user's own. IDX files need `class_names`, label 0 first; the classes of pictures are called as their
/// folders, those of CIFAR batches as in batches.meta.txt. IDX and CIFAR files have no validation split. Errors: not in
/// this layout; a class without an image.
Splits load_own(const std::filesystem::path& folder, Layout layout,
                const std::vector<std::string>& class_names, const std::vector<std::int64_t>& classes,
                const ImageForm& form = {});

}  // namespace whence::data
