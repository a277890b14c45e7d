// TorchScript, both ways: networks that Python opens, and Python's models as networks.
#pragma once

#include <ATen/core/Tensor.h>

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "whence/nn/graph/network.h"

namespace whence::nn {

/// Writes `network` in evaluation mode as a TorchScript file: `torch.jit.load(path)(x)` gives the first output, or a
/// tuple of all outputs where there are several. Parameters carry their layers' names; the attribute `input_shape` holds
/// the shape of one sample. Error: a layer's name that PyTorch keeps for itself ("training", "import").
void export_torchscript(const Network& network, const std::filesystem::path& path);

/// A loaded TorchScript module, in evaluation mode, its weights as float32; .pt2 (torch.export) and ONNX files become such modules. TorchScript
/// is executable code: only load what you trust.
class ScriptModule {
 public:
  /// Error: missing, or not TorchScript (says so when it is a Python pickle or a state dict, and how to export it).
  explicit ScriptModule(const std::filesystem::path& path);

  /// Of an answer with several tensors the one that is meant: a dictionary's key, a named tuple's field, or the number (from 0)
  /// in a tuple or list. "": all of them.
  void choose_output(const std::string& entry);
  /// Runs it on a copy of x; a tuple's elements are returned in order, None left out. Errors, with the file's name and what to do:
  /// it fails; a dictionary of which none is chosen; no such entry.
  std::vector<at::Tensor> operator()(const at::Tensor& x) const;
  /// What may be chosen: names of fields, or numbers; empty where only a call tells.
  std::vector<std::string> output_names() const;
  /// Full names ("conv1.weight"), as Python's named_parameters().
  NamedTensors parameters() const;
  void require_gradients(bool required);
  /// The shape of one sample, where the file tells: its attribute "input_shape" (a list or tuple of whole numbers; Python:
  /// self.input_shape = (3, 32, 32); export_torchscript writes it), else the one square image of 8 to 512 pixels a side
  /// whose operations and weights fit one another. nullopt where no such image fits or several do (as 28 and 29 pixels in
  /// front of a pooling); `obstacle` (if not null) says which it is.
  std::optional<Shape> input_shape(std::string* obstacle = nullptr) const;
  /// The first operation outside of branches that draws random numbers at every call, and the module's line that calls it; "" where
  /// there is none.
  std::string random_operation() const;
  /// The module without its last operation, if that is `operation` ("softmax", "log_softmax", "sigmoid").
  std::optional<ScriptModule> before(const std::string& operation) const;
  /// Moves parameters and buffers; a module that names a device in its code stays what it is. Translate before.
  void to(at::Device device);
  at::Device device() const { return device_; }
  const std::filesystem::path& path() const { return path_; }

  /// The same function as a Network for inputs of one sample shape `input`, when every operation is known and both
  /// agree on random numbers (within 1e-4 of the largest output); otherwise nullopt, and `obstacle` (if not null) names
  /// the first operation that stands in the way and its source. Layers carry the names of the modules that hold their
  /// weights, with "_" for "." ("features_0"); others that of their operation and a number ("relu2").
  std::optional<Network> translate(const Shape& input, std::string* obstacle = nullptr) const;

 private:
  struct Implementation;
  std::shared_ptr<Implementation> implementation_;
  std::filesystem::path path_;
  at::Device device_ = at::kCPU;
};

}  // namespace whence::nn
