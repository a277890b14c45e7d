#include "nn/ops/script_text.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace whence::nn {

std::string script_variable(LayerId id) { return fmt::format("x{}", id); }

std::string ScriptText::literal(double value) { return nlohmann::json(value).dump(); }

std::vector<std::string> ScriptText::inputs() const {
  std::vector<std::string> names;
  for (const LayerId id : layer.inputs) names.push_back(script_variable(id));
  return names;
}

/// getattr, because a layer's name need not be an identifier ("0").
std::string ScriptText::tensor(std::string_view name) const {
  const auto has = [&](const NamedTensors& tensors) {
    return std::any_of(tensors.begin(), tensors.end(), [&](const NamedTensor& t) { return t.name == name; });
  };
  if (!has(layer.parameters) && !has(layer.buffers)) return "None";
  return fmt::format("getattr(self, {}).{}", nlohmann::json(layer.name).dump(), name);
}

}  // namespace whence::nn
