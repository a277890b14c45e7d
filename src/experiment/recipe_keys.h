// The one table of recipe keys. Parsing, checking, --set, the resolved recipe and docs/recipes.md all read
// it.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "experiment/recipe.h"

namespace whence::experiment {

template <class Value>
using Field = Value& (*)(Recipe&);

struct Integer {
  Field<std::int64_t> at;
  std::int64_t least, most;
};
struct Number {
  Field<double> at;
  double least, most;
  bool above_least = false;  ///< `least` itself is not allowed
};
/// May be left out; then it stays empty.
struct OptionalNumber {
  Field<std::optional<double>> at;
  double least, most;
};
struct Toggle {
  Field<bool> at;
};
struct Text {
  Field<std::string> at;
};
struct Path {
  Field<std::string> at;
};
struct Integers {
  Field<std::vector<std::int64_t>> at;
  std::int64_t least, most;
};
/// [outer, inner]
struct Pair {
  Field<std::int64_t> first, second;
  std::int64_t least, most;
};
struct Texts {
  Field<std::vector<std::string>> at;
};
/// One of some names, by index.
struct Choice {
  std::vector<std::string_view> names;
  std::size_t (*get)(Recipe&);
  void (*set)(Recipe&, std::size_t);
};

using KeyType =
    std::variant<Integer, Number, OptionalNumber, Toggle, Text, Path, Integers, Pair, Texts, Choice>;

struct Key {
  std::string_view name;  ///< "section.key", or "key" at the top level
  KeyType type;
  std::string_view unit;  ///< "" when it has none
  std::string_view doc;   ///< one sentence
};

struct SectionDoc {
  std::string_view name, doc;
};

/// Keys of one section stand together, in the order of sections().
std::span<const Key> recipe_keys();
std::span<const SectionDoc> recipe_sections();

/// "explanation" of "explanation.lambda"; "" of "title".
std::string_view section_of(std::string_view key);
/// "lambda" of "explanation.lambda".
std::string_view last_part(std::string_view key);

/// "an integer from 1 to 64", "one of 'nested', 'crossed'".
std::string allowed_values(const KeyType& type);
/// The value in TOML; "" when an optional one is empty.
std::string toml_value(const KeyType& type, const Recipe& recipe);

/// Contradictions between values that are fine on their own. `name` is the file.
void check_recipe(const Recipe& recipe, const std::string& name);

}  // namespace whence::experiment
