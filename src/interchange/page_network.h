// Networks as the script of a report runs them (web/network.js): layers as JSON, weights as bytes.
#pragma once

#include <ATen/core/Tensor.h>

#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "whence/nn/graph/network.h"

namespace whence::nn {

/// How weights are stored: halves (IEEE 754 binary16), or one signed byte each and one float32 scale for each row (output channel, or first
/// dimension): w is about scale * byte, with scale = max |w| of the row / 127.
enum class PageWeights { halves, bytes };

/// What a page needs to run a network.
struct PageNetwork {
  nlohmann::json
      layers;  ///< {"layers": [{"name", "op", "inputs", "shape", ...}], "outputs": [...]}; tensors as {"at", "shape", "type"}
  Network rounded;  ///< the same network with the weights that the page has, for its check of itself
};

/// Appends the weights to `bytes`, little endian. Batch normalisations become part of the layer before them, or a scale and a shift. Nothing, and
/// the operation's name in `obstacle`, where the page lacks an operation.
std::optional<PageNetwork> page_network(const Network& network, PageWeights weights, std::string& bytes,
                                        std::string* obstacle = nullptr);

}  // namespace whence::nn
