// The data sets whence knows by name, where they lie on a machine, and how they are split.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "whence/data/dataset.h"

namespace whence::data {

/// Four IDX files (train/test images/labels; each plain or .gz) and how the texts split them.
struct KnownSet {
  std::string_view name;   ///< "fashion-mnist"
  std::string_view title;  ///< "Fashion-MNIST"
  std::vector<std::string> class_names;
  std::vector<std::string_view> folders;  ///< where systems put it, besides WHENCE_DATA and ./data
  std::string_view package;               ///< Debian package that has it, or ""
  /// How many images the splits have by file index. Validation is cut from the end of the training file
  /// (validation_from_train) or from the start of the test file (validation_from_test); the other is 0.
  std::int64_t validation_from_train = 0;
  std::int64_t validation_from_test = 0;
};

/// mnist (train/validation/test 50,000/10,000/10,000 by file index), fashion-mnist (60,000/6,000/4,000),
/// notmnist (the small set; 14,400/1,600/2,724: no text states a split, so validation is the last tenth of
/// the training file).
std::span<const KnownSet> known_sets();
/// Error (usage): unknown; names the nearest known one.
const KnownSet& known_set(std::string_view name);

/// The folder that holds the set's four files: `path` if given; else WHENCE_DATA/<name>, WHENCE_DATA (unless
/// it bears the name of another set: the files of all have the same names), ./data/<name>, then the set's own
/// folders. nullopt when none has them all.
std::optional<std::filesystem::path> locate(const KnownSet& set,
                                            const std::optional<std::filesystem::path>& path = {});

/// Loads and splits; with `classes` (empty: all) selects and relabels. Error when not found: says where it
/// looked and which package or command would provide it.
Splits load(const KnownSet& set, const std::vector<std::int64_t>& classes,
            const std::optional<std::filesystem::path>& path = {});

}  // namespace whence::data
