// TorchScript files for tests, made in C++.
#pragma once

#include <torch/csrc/jit/api/module.h>

#include <filesystem>
#include <string>

#include "whence/nn/graph/network.h"

namespace whence::test {

/// A module with these parameters ("weight", ...) whose forward method has this source.
inline void save_script(const std::filesystem::path& path, const std::string& forward,
                        const nn::NamedTensors& parameters = {}) {
  torch::jit::Module module("__torch__.Model");
  module.register_attribute("training", c10::BoolType::get(), false);
  for (const nn::NamedTensor& p : parameters) module.register_parameter(p.name, p.tensor.clone(), false);
  module.define(forward);
  module.save(path.string());
}

/// forward(self, x) that returns this expression of x.
inline void save_expression(const std::filesystem::path& path, const std::string& expression,
                            const nn::NamedTensors& parameters = {}) {
  save_script(path, "def forward(self, x):\n  return " + expression + "\n", parameters);
}

}  // namespace whence::test
