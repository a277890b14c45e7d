// Reading ONNX files: a graph of operators by names and versions (github.com/onnx/onnx, docs/IR.md and Operators.md).
#pragma once

#include <torch/csrc/jit/api/module.h>

#include <cstdint>
#include <filesystem>

namespace whence::interchange {

/// Texts of so many words each: numbers of words, int64 (N, words), which nodes Gather the vectors of, or these vectors, float32 (N, words, E).
struct OnnxTexts {
  std::int64_t words;
  bool vectors;
};

/// Whether the file is called .onnx, or begins as ONNX files do.
bool is_onnx(const std::filesystem::path& path);

/// The model as a TorchScript module with a forward method of one input: every operator is a call of ATen's, so that it
/// runs and differentiates. Weights become float32. The number of samples is free, also where the file fixes it. An input
/// of (N, height, width, colours) is taken as (N, colours, height, width), one of (N, numbers) from images too. Outputs of
/// whole numbers or text (labels) are left out; of ZipMap its probabilities are returned. Errors, one sentence each: a
/// damaged file; more than one input; an operator that whence does not know, that has no gradient, or that depends on the
/// number of samples; weights outside the file's folder.
torch::jit::Module load_onnx(const std::filesystem::path& path);

/// The same of a model of texts, for texts of one length. Errors: those of load_onnx; an input of another form than asked; a file for texts of another
/// length.
torch::jit::Module load_onnx_of_texts(const std::filesystem::path& path, const OnnxTexts& texts);

}  // namespace whence::interchange
