// Foreign modules of texts: cut behind their look-up of word vectors, or made for these.
#pragma once

#include <ATen/core/Tensor.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace whence::nn {

/// A TorchScript, .pt2 or ONNX file that takes numbers of words, int64 (N, T), and looks their vectors up in one table (aten::embedding). Here, it takes the vectors, too: so
/// gradients reach them. TorchScript is executable code: only load what you trust.
class WordModule {
 public:
  /// An ONNX file, whose nodes may depend on the number of words, becomes a module for each length when texts of that length are first asked. Errors:
  /// those of nn::ScriptModule; no look-up of the input, or several (file named, says what to do).
  explicit WordModule(std::filesystem::path path);

  /// The table of word vectors, (V, E).
  const at::Tensor& table() const { return table_; }
  /// The module's answer when `vectors`, (N, T, E), stand at the places of `numbers`; numbers count wherever else the module reads them (for a mask, say).
  /// Errors: as ScriptModule::operator().
  std::vector<at::Tensor> operator()(const at::Tensor& numbers, const at::Tensor& vectors) const;

 private:
  struct Implementation;
  std::shared_ptr<Implementation> implementation_;
  std::filesystem::path path_;
  at::Tensor table_;
};

/// An ONNX file that takes word vectors, float32 (N, T, E); a module for each length, as above.
class OnnxVectorModule {
 public:
  /// Errors: those of interchange::load_onnx_of_texts.
  explicit OnnxVectorModule(std::filesystem::path path);

  /// Errors: as ScriptModule::operator().
  std::vector<at::Tensor> operator()(const at::Tensor& vectors) const;

 private:
  struct Implementation;
  std::shared_ptr<Implementation> implementation_;
  std::filesystem::path path_;
};

}  // namespace whence::nn
