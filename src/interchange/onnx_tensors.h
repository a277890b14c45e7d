// The tensors of an ONNX file and of the files beside it.
#pragma once

#include <ATen/core/Tensor.h>

#include <filesystem>

#include "interchange/onnx_model.h"

namespace whence::interchange {

/// What a number type of ONNX runs as: float32 for all floating-point types, int64 for whole numbers, bool. Error: none
/// of these (text, complex numbers, 8-bit floats). `what`: for the error.
at::ScalarType onnx_scalar_type(std::int64_t type, const std::string& what);

/// `file`: of the model. Errors: sizes that do not fit the bytes; external bytes that are not there, or lie outside the
/// model's folder.
at::Tensor read_onnx_tensor(const OnnxTensor& tensor, const std::filesystem::path& file);

}  // namespace whence::interchange
