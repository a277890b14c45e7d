// One value of a file, or one that a person typed, into a key's value.
#pragma once

#include <toml++/toml.h>

#include "config/schema.h"

namespace whence::config {

/// Where a value stands.
struct Origin {
  std::string subject;           ///< of an error's sentence: "recipe.toml:12: run.seed", "--seed"
  std::filesystem::path folder;  ///< relative paths start here; empty: the current one
  std::string_view typed = {};   ///< what a person typed, outside a file
};

/// Errors (usage): a wrong type, a value out of range.
void store(const Key& key, const toml::node& node, const Origin& origin, Values& values);

}  // namespace whence::config
