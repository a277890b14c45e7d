// Reading ONNX files: a graph of operators by names and versions (github.com/onnx/onnx, docs/IR.md and Operators.md).
#pragma once

#include <torch/csrc/jit/api/module.h>

#include <filesystem>

namespace whence::interchange {

/// Whether the file is called .onnx, or begins as ONNX files do.
bool is_onnx(const std::filesystem::path& path);

/// The model as a TorchScript module with a forward method of one input: every operator is a call of ATen's, so that it
/// runs and differentiates. Weights become float32. The number of samples is free, also where the file fixes it. An input
/// of (N, height, width, colours) is taken as (N, colours, height, width), one of (N, numbers) from images too. Outputs of
/// whole numbers or text (labels) are left out; of ZipMap its probabilities are returned. Errors, one sentence each: a
/// damaged file; more than one input; an operator that whence does not know, that has no gradient, or that depends on the
/// number of samples; weights outside the file's folder.
torch::jit::Module load_onnx(const std::filesystem::path& path);

/// The same of a model of texts, for texts of so many words: int64 (N, words), numbers of words that its nodes Gather the vectors of. Errors: those of
/// load_onnx; an input that is not whole numbers of two dimensions; a file for texts of another length.
torch::jit::Module load_onnx_of_texts(const std::filesystem::path& path, std::int64_t words);

}  // namespace whence::interchange
