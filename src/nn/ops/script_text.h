// What an operation needs to write itself as a TorchScript expression.
#pragma once

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <string>
#include <string_view>
#include <vector>

#include "whence/nn/graph/network.h"

namespace whence::nn {

/// The variable that holds a layer's output.
std::string script_variable(LayerId id);

struct ScriptText {
  const Layer& layer;

  std::string input() const { return script_variable(layer.inputs.front()); }
  std::vector<std::string> inputs() const;
  /// A parameter or buffer of the layer; "None" where it has none of that name.
  std::string tensor(std::string_view name) const;
  /// "torch.NAME(input)"
  std::string call(std::string_view name) const { return fmt::format("torch.{}({})", name, input()); }

  /// A literal that TorchScript reads as the very same float: "0.1", "1.0", "1e-05".
  static std::string literal(double value);
  /// "[value, value]"
  static std::string pair(std::int64_t value) { return pair(Extent(value)); }
  static std::string pair(const Extent& extent) {
    return fmt::format("[{}, {}]", extent.height, extent.width);
  }
  static std::string boolean(bool value) { return value ? "True" : "False"; }
};

}  // namespace whence::nn
