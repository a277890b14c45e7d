// The IDX format of MNIST and its successors, plain or gzip-compressed.
#pragma once

#include <ATen/core/Tensor.h>

#include <filesystem>

namespace whence::data {

/// Reads an IDX file of unsigned bytes with 1 to 4 dimensions (big-endian sizes; LeCun's definition) as a uint8
/// tensor of the file's shape. Errors name the file: missing, not IDX (magic), another type than unsigned byte, a size
/// that does not fit, truncated, bytes left over, damaged gzip.
at::Tensor read_idx(const std::filesystem::path& path);

/// Writes a uint8 tensor as IDX; gzip-compressed when the path ends in ".gz".
void write_idx(const std::filesystem::path& path, const at::Tensor& values);

}  // namespace whence::data
