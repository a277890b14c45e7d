// Why a foreign module failed, in one sentence of our own: LibTorch's speak of its inside and name no remedy.
#pragma once

#include <torch/csrc/jit/ir/ir.h>

#include <exception>
#include <string>

namespace whence::nn {

/// "fails on images of shape 4x1x28x28 at \"x = self.conv(x)\"; ...": what follows the file's name.
std::string failure_of(const std::exception& error, at::IntArrayRef shape);

/// Why a file cannot be loaded, and what to do; "" where nothing is known of the reason.
std::string loading_failure_of(const std::exception& error);

/// Where the module's own code calls this operation: "aten::dropout at model.py:12 (x = self.drop(x))".
std::string place_in_own_code(const torch::jit::Node& node);

}  // namespace whence::nn
