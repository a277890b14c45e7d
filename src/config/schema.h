// The one schema: each key with its type, range, unit and meaning. Recipes (TOML), --set, the flags of a command, JSON
// and the reference pages all come from it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "config/values.h"

namespace whence::config {

/// Where a key's value lies: in one of the options structures.
template <class T>
using At = std::function<T&(Values&)>;

struct Integer {
  At<std::int64_t> at;
  std::int64_t least, most;
};
struct Number {
  At<double> at;
  double least, most;
  bool above_least = false;  ///< `least` itself is not allowed
};
/// May be left out; then it stays empty.
struct OptionalNumber {
  At<std::optional<double>> at;
  double least, most;
};
struct Toggle {
  At<bool> at;
};
struct Text {
  At<std::string> at;
};
/// Relative paths start at the folder of the recipe, or at the current one.
struct Path {
  At<std::string> at;
};
struct Integers {
  At<std::vector<std::int64_t>> at;
  std::int64_t least, most;
};
/// [outer, inner]; as a flag 200x200.
struct Pair {
  At<std::int64_t> first, second;
  std::int64_t least, most;
};
struct Texts {
  At<std::vector<std::string>> at;
};
/// Row by row: [[1.0, 0.5], [0.5, 2.0]].
struct Matrix {
  At<std::vector<std::vector<double>>> at;
};
/// One of some names, by index.
struct Choice {
  std::vector<std::string_view> names;
  std::function<std::size_t(const Values&)> get;
  std::function<void(Values&, std::size_t)> set;
};
/// Some of some names; an empty list stands for all of them.
struct Choices {
  std::vector<std::string_view> names;
  At<std::vector<std::string>> at;
};

using Type = std::variant<Integer, Number, OptionalNumber, Toggle, Text, Path, Integers, Pair, Texts, Matrix,
                          Choice, Choices>;

struct Key {
  std::string_view name;  ///< within its section: "lambda"
  Type type;
  std::string_view unit;  ///< "" when it has none
  std::string_view doc;   ///< one sentence, or a few
  bool required = false;  ///< a file without it is an error
};

struct Section {
  std::string_view name;  ///< "explanation"; "" for keys at the top
  std::string_view doc;
  std::vector<Key> keys;
};
using Schema = std::vector<Section>;

/// What errors name as the list of all keys.
inline constexpr std::string_view kRecipeReference = "`whence recipe --reference`";

template <class Value>
auto& follow(Value& value) {
  return value;
}
template <class Object, class Member, class... Rest>
auto& follow(Object& object, Member member, Rest... rest) {
  return follow(object.*member, rest...);
}
/// The value that members lead to: at(&GeneratorOptions::network, &models::AutoencoderShape::width).
template <class Options, class Member, class... Rest>
auto at(Member Options::*member, Rest... rest) {
  return [=](auto& values) -> auto& { return follow(values.template get<Options>(), member, rest...); };
}
/// The names of an enum's values, from the first to `last`.
template <class Enum>
std::vector<std::string_view> names_to(Enum last) {
  std::vector<std::string_view> names;
  for (int i = 0; i <= static_cast<int>(last); ++i) names.push_back(name_of(static_cast<Enum>(i)));
  return names;
}

/// A choice stored in the enum or bool of at(...).
template <class Get>
Choice choice(Get get, std::vector<std::string_view> names) {
  return {std::move(names), [get](const Values& values) { return static_cast<std::size_t>(get(values)); },
          [get](Values& values, std::size_t index) {
            auto& value = get(values);
            value = static_cast<std::remove_reference_t<decltype(value)>>(index);
          }};
}

/// Reads TOML into the values of `schema`; `settings` are "section.key=value" and take precedence. Relative paths in the
/// text are relative to the folder of `name`, those in settings to the current one; values hold absolute ones. Errors
/// (usage), each with file, line, key and what is allowed: not TOML; an unknown section or key (names the nearest); a
/// wrong type; a value out of range; a required key that is missing.
Values parse(const Schema& schema, std::string_view text, const std::filesystem::path& name,
             const std::vector<std::string>& settings = {}, std::string_view reference = kRecipeReference);
/// As above, over values that were set before.
void parse_into(Values& values, const Schema& schema, std::string_view text,
                const std::filesystem::path& name, const std::vector<std::string>& settings = {},
                std::string_view reference = kRecipeReference);

/// One of the tables [[...]] of a file.
struct Table {
  std::string place;  ///< "problems.toml:12", for errors
  Values values;
};
/// As parse_into, of a file that also holds tables [[repeated.name]], each with values of its own; at least one.
std::vector<Table> parse_tables(Values& values, const Schema& schema, const Section& repeated,
                                std::string_view text, const std::filesystem::path& name,
                                std::string_view reference = kRecipeReference);

/// One value as a person types it in a flag: strings without quotes, lists without brackets, pairs as 200x200. An error
/// (usage) begins with `place`: "--steps is 0, but must be an integer from 1 to 100".
void assign(const Key& key, std::string_view typed, std::string_view place, Values& values);

/// Every key with its value, as TOML that parse() reads back to the same values.
std::string to_toml(const Schema& schema, const Values& values);
/// {"section.key": value} of the keys that are one of `keys` or in the sections named there ("data", "run.seed").
nlohmann::json to_json(const Schema& schema, const Values& values, const std::vector<std::string_view>& keys);

/// "explanation.lambda", or "title" of a key at the top.
std::string full_name(const Section& section, const Key& key);
/// "an integer from 1 to 64", "one of 'nested', 'crossed'".
std::string allowed(const Type& type);
/// Its value in TOML; "" when an optional one, or a matrix, is empty.
std::string written(const Type& type, const Values& values);
/// A Markdown table of a section's keys: key, allowed values, default, unit, meaning.
std::string reference(const Section& section);

}  // namespace whence::config
