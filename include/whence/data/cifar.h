// The binary version of CIFAR-10, as its authors publish it.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "whence/data/dataset.h"

namespace whence::data {

/// Reads batches such as data_batch_1.bin one after the other: records of 3,073 bytes, a label and 32 x 32 pixels
/// row by row, all red, all green, all blue (Krizhevsky, "Learning multiple layers of features from tiny images",
/// 2009). Images are (N, 3, 32, 32). Errors name the file: missing, not a whole
/// number of records, empty, a label past the class names.
Dataset read_cifar(const std::vector<std::filesystem::path>& batches,
                   const std::vector<std::string>& class_names);

/// batches.meta.txt: one class name a line. Error: no name in it.
std::vector<std::string> read_cifar_names(const std::filesystem::path& path);

}  // namespace whence::data
