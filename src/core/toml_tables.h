// Reading TOML files whose tables fill structures: each key with its reader and its documentation, errors with file, line,
// key and what is allowed. For targets that link toml++.
#pragma once

#include <fmt/core.h>
#include <toml++/toml.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "whence/core/error.h"
#include "whence/core/files.h"
#include "whence/core/names.h"

namespace whence {

/// A value of a file, with what an error says about it.
struct TomlEntry {
  const std::string& file;
  std::string_view key;
  const toml::node& node;

  std::string place() const { return fmt::format("{}:{}", file, node.source().begin.line); }
  [[noreturn]] void reject(std::string_view allowed) const {
    fail_usage("{}: {} must be {}", place(), key, allowed);
  }
  std::string text() const {
    if (!node.is_string()) reject("text in quotes");
    return node.as_string()->get();
  }
  std::vector<std::string> texts() const {
    std::vector<std::string> all;
    if (!node.is_array()) reject("a list of texts");
    for (const toml::node& item : *node.as_array()) {
      if (!item.is_string()) reject("a list of texts");
      all.push_back(item.as_string()->get());
    }
    return all;
  }
  std::int64_t integer(std::int64_t least, std::int64_t most) const {
    const auto* value = node.as_integer();
    if (value == nullptr || value->get() < least || value->get() > most)
      reject(fmt::format("an integer from {} to {}", least, most));
    return value->get();
  }
  double positive() const {
    const double value = node.is_number() ? *node.value<double>() : 0;
    if (!(value > 0) || !std::isfinite(value)) reject("a number above 0");
    return value;
  }
  /// Rows of equal length.
  std::vector<std::vector<double>> matrix() const {
    constexpr const char* allowed = "a matrix, row by row: [[1.0, 0.5], [0.5, 2.0]]";
    std::vector<std::vector<double>> rows;
    if (!node.is_array() || node.as_array()->empty()) reject(allowed);
    for (const toml::node& row : *node.as_array()) {
      if (!row.is_array() || row.as_array()->empty()) reject(allowed);
      std::vector<double>& values = rows.emplace_back();
      for (const toml::node& item : *row.as_array()) {
        if (!item.is_number() || !std::isfinite(*item.value<double>())) reject(allowed);
        values.push_back(*item.value<double>());
      }
      if (values.size() != rows.front().size()) reject(allowed);
    }
    return rows;
  }
};

template <class Part>
struct TomlKey {
  std::string_view name;
  void (*read)(const TomlEntry& entry, Part& part);
  std::string_view doc;
  bool required = false;
};

/// What a reader's errors call the file and where it lists its keys: "`whence results --reference`".
struct TomlKind {
  std::string_view name, reference;
};

/// Fills `part` from a table by its keys.
template <class Part>
void read_table(const std::string& file, const TomlKind& kind, const toml::table& table,
                const std::vector<TomlKey<Part>>& keys, Part& part) {
  std::vector<std::string_view> names;
  for (const TomlKey<Part>& key : keys) names.push_back(key.name);
  for (const auto& [name, node] : table) {
    const auto found = std::find(names.begin(), names.end(), name.str());
    const TomlEntry entry{file, name.str(), node};
    if (found == names.end())
      fail_usage("{}: {} has no key '{}'{}; {} lists them all", entry.place(), kind.name, name.str(),
                 did_you_mean(name.str(), names), kind.reference);
    keys[static_cast<std::size_t>(found - names.begin())].read(entry, part);
  }
  for (const TomlKey<Part>& key : keys)
    if (key.required && !table.contains(key.name))
      fail_usage("{}:{}: {} lacks {}: {}", file, table.source().begin.line, kind.name, key.name, key.doc);
}

/// The tables of [[...]], each read into a part of its own, which remembers its place.
template <class Part>
std::vector<Part> read_tables(const TomlEntry& entry, const TomlKind& kind,
                              const std::vector<TomlKey<Part>>& keys) {
  const auto expect = [&](bool good) {
    if (!good) entry.reject("tables: [{key = value, ...}, ...]");
  };
  expect(entry.node.is_array());
  std::vector<Part> parts;
  for (const toml::node& item : *entry.node.as_array()) {
    expect(item.is_table());
    Part& part = parts.emplace_back();
    part.place = fmt::format("{}:{}", entry.file, item.source().begin.line);
    read_table(entry.file, kind, *item.as_table(), keys, part);
  }
  return parts;
}

/// Errors: not TOML; those of read_file.
inline toml::table parse_toml(const std::filesystem::path& file, std::string_view kind) {
  try {
    return toml::parse(read_file(file), file.string());
  } catch (const toml::parse_error& error) {
    fail_usage("{}:{}: not {}: {}", file.string(), error.source().begin.line, kind, error.description());
  }
}

/// Markdown: a heading and a table of the keys.
template <class Part>
std::string table_of_keys(std::string_view title, const std::vector<TomlKey<Part>>& keys) {
  std::string text = fmt::format("\n## {}\n\n| key | meaning |\n|---|---|\n", title);
  for (const TomlKey<Part>& key : keys)
    text += fmt::format("| `{}` | {}{} |\n", key.name, key.doc, key.required ? " Required." : "");
  return text;
}

}  // namespace whence
