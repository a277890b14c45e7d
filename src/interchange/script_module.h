// The implementation of nn::ScriptModule; not in the public header because LibTorch's module headers are slow
// to compile.
#pragma once

#include <torch/csrc/jit/api/module.h>

#include "whence/interchange/torchscript.h"

namespace whence::nn {

struct ScriptModule::Implementation {
  torch::jit::Module module;
  std::string method = "forward";  ///< that is called
  std::string entry = "";          ///< of its answer, where one is chosen
};

/// In evaluation mode, its weights as float32. Errors: those of ScriptModule.
torch::jit::Module load_module(const std::filesystem::path& path);

/// What a file may hold besides weights: the shape of one sample.
constexpr const char* input_shape_attribute = "input_shape";

}  // namespace whence::nn
