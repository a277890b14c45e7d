// Reading .pt2, what torch.export.save writes ("PT2 Archive Spec" of PyTorch's documentation): a graph of ATen operators.
#pragma once

#include <torch/csrc/jit/api/module.h>

#include <filesystem>

namespace whence::interchange {

/// Whether the file is a zip file that torch.export.save wrote.
bool is_exported_program(const std::filesystem::path& path);

/// The program as a TorchScript module with a forward method of one input: every operator is called by its name, so that
/// whatever ATen knows runs and differentiates. Weights are float32 parameters and buffers with their own names
/// ("conv1.weight"). Errors, one sentence each: a damaged file; weights that are Python objects; more than one input; an
/// operator that this LibTorch does not know, that draws random numbers, or that changes the module.
torch::jit::Module load_exported_program(const std::filesystem::path& path);

}  // namespace whence::interchange
