// The learned tensors of a model that is no Network: recurrent ones, whose layers are read again for each word.
#pragma once

#include <ATen/core/Tensor.h>

#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "whence/nn/graph/network.h"

namespace whence::nn {

/// A handle: copies share the tensors.
class Parameters {
 public:
  explicit Parameters(std::string name) : name_(std::move(name)) {}

  /// Keeps `value` as a float32 leaf with gradients, and returns it. The name is new.
  at::Tensor add(const std::string& name, const at::Tensor& value);

  const std::string& name() const { return name_; }
  const NamedTensors& state() const { return tensors_; }
  /// Error (TORCH_CHECK): no such tensor.
  const at::Tensor& operator[](std::string_view name) const;
  std::int64_t count() const;
  /// Those of its tensors whose names `is_chosen` picks: a handle to the same ones, for an optimizer of their own.
  Parameters part(const std::function<bool(std::string_view name)>& is_chosen) const;

  /// Copies values in. Error: other names, shapes or types than its own; then nothing changed.
  void load_state(const NamedTensors& state);
  /// Without gradients from now on: a trained model that is explained.
  void freeze();

 private:
  std::string name_;
  NamedTensors tensors_;
};

/// As safetensors, with the name and `metadata`.
void save_parameters(const std::filesystem::path& path, const Parameters& parameters,
                     std::map<std::string, std::string> metadata = {});
/// Error: as Parameters::load_state, with the file's name.
void load_parameters(const std::filesystem::path& path, Parameters& parameters);

}  // namespace whence::nn
