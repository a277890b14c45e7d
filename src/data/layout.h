// The files of each layout of a data set.
#pragma once

#include <array>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "whence/data/known.h"

namespace whence::data {

inline constexpr std::string_view idx_train_images = "train-images-idx3-ubyte";
inline constexpr std::string_view idx_train_labels = "train-labels-idx1-ubyte";
inline constexpr std::string_view idx_test_images = "t10k-images-idx3-ubyte";
inline constexpr std::string_view idx_test_labels = "t10k-labels-idx1-ubyte";
inline constexpr std::array cifar_train = {"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin",
                                           "data_batch_4.bin", "data_batch_5.bin"};
inline constexpr std::string_view cifar_test = "test_batch.bin";
inline constexpr std::array<std::string_view, 3> tree_files = {"train.txt", "dev.txt", "test.txt"};
inline constexpr std::string_view cifar_names = "batches.meta.txt";

/// The file in `folder`, plain before compressed (.gz), with a dot for the hyphen in front of "idx" if need be; nullopt when there is
/// none.
std::optional<std::filesystem::path> find_file(const std::filesystem::path& folder, std::string_view name);

/// What `folder` lacks to hold data in this layout: files, or the folders of `classes` (with none: any folder).
std::vector<std::string> missing(const std::filesystem::path& folder, Layout layout,
                                 const std::vector<std::string>& classes);

/// Where `locate` looks for the set.
std::vector<std::filesystem::path> usual_folders(const KnownSet& set);

}  // namespace whence::data
