// The safetensors format: named tensors that Python's `safetensors` opens.
#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "whence/nn/graph/network.h"

namespace whence::nn {

struct SafetensorsFile {
  NamedTensors tensors;                         ///< in the order of the file's bytes
  std::map<std::string, std::string> metadata;  ///< "__metadata__"
};

/// Written aside and renamed. Tensors of float64/32/16, bfloat16, int64/32/16/8, uint8, bool. Their bytes stand in the
/// order given, but wider elements before narrower ones, so that every tensor is aligned, as readers in Python want.
void save_safetensors(const std::filesystem::path& path, const NamedTensors& tensors,
                      const std::map<std::string, std::string>& metadata = {});

/// Strict: every length, offset, type and shape is checked against the file before a tensor is made; gaps, overlaps,
/// surplus bytes and duplicate names are errors that name the file and the tensor.
SafetensorsFile load_safetensors(const std::filesystem::path& path);

/// load_safetensors into a network: errors as Network::load_state, with the file's name.
void load_network(const std::filesystem::path& path, Network& network);

}  // namespace whence::nn
