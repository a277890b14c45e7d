// The tensors of a .pt2 archive: weights, buffers and constants.
#pragma once

#include <ATen/core/Tensor.h>

#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "interchange/zip_archive.h"

namespace whence::interchange {

/// How a tensor lies in a storage.
struct TensorView {
  std::vector<std::int64_t> sizes, strides;
  std::int64_t offset = 0;
};

/// The tensor as a copy, float32 where it is of floating-point numbers. Error: the view does not fit the storage.
at::Tensor tensor_in(const std::string& bytes, at::ScalarType type, const TensorView& view,
                     const std::string& file, const std::string& name);

/// As torch/_export/serde/schema.py numbers them, which is not c10's order. Error: a type that whence does not know.
at::ScalarType scalar_type_of(std::int64_t number, const std::filesystem::path& file);

/// By the names of the module ("features.0.weight"), on the CPU; half, bfloat16 and double are brought to float32. Errors: Python
/// objects; a tensor that does not fit its payload; numbers of a big-endian machine.
std::map<std::string, at::Tensor> read_tensors(const ZipArchive& archive, const std::string& root);

}  // namespace whence::interchange
