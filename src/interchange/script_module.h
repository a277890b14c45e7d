// The implementation of nn::ScriptModule; not in the public header because LibTorch's module headers are slow
// to compile.
#pragma once

#include <torch/csrc/jit/api/module.h>

#include "whence/interchange/torchscript.h"

namespace whence::nn {

struct ScriptModule::Implementation {
  torch::jit::Module module;
};

/// What a file may hold besides weights: the shape of one sample.
constexpr const char* input_shape_attribute = "input_shape";

/// Calls forward(x) and returns the tensors of its answer. Throws what LibTorch throws.
std::vector<at::Tensor> call(const torch::jit::Module& module, const at::Tensor& x);

}  // namespace whence::nn
