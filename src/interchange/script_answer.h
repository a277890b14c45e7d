// What a foreign module returns: a tensor, or a tuple, list or dictionary of them, one of which may be chosen.
#pragma once

#include <torch/csrc/jit/ir/ir.h>

#include "interchange/script_module.h"

namespace whence::nn {

/// Calls the module's method with copies of the inputs and returns the tensors of its answer, or the chosen one. Throws an Error where
/// the answer is none or not the only one that may be meant, and else what LibTorch throws.
std::vector<at::Tensor> call(const torch::jit::Module& module, const std::string& method,
                             const std::string& entry, const std::vector<at::Tensor>& inputs);

/// What the tensors of an answer of this type are called; empty where it is no tuple.
std::vector<std::string> names_of_outputs(const c10::TypePtr& answer);

/// The value of a graph that becomes the chosen entry of its answer; nullptr where the graph does not show it.
torch::jit::Value* chosen_value(torch::jit::Value* answer, const std::string& entry);
const torch::jit::Value* chosen_value(const torch::jit::Value* answer, const std::string& entry);

}  // namespace whence::nn
