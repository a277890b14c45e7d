// How torch.export writes arguments: unions with one entry.
#pragma once

#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <utility>

namespace whence::interchange {

/// The one entry of a union: {"as_int": 3} -> ("as_int", 3).
inline std::pair<std::string, const nlohmann::json&> only_entry(const nlohmann::json& choice) {
  if (!choice.is_object() || choice.size() != 1)
    throw std::runtime_error("an argument of no known kind: " + choice.dump());
  return {choice.begin().key(), choice.begin().value()};
}

/// {"as_name": "s0"} -> "s0"; "" for a number.
inline std::string symbol_in(const nlohmann::json& value) {
  return value.is_object() && value.contains("as_name") ? value.at("as_name").get<std::string>() : "";
}

inline std::int64_t number_in(const nlohmann::json& value) {
  return value.is_object() ? value.at("as_int").get<std::int64_t>() : value.get<std::int64_t>();
}

}  // namespace whence::interchange
