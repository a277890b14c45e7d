#include "config/schema.h"

namespace whence::config {
namespace {

/// From here on a bound stands for none.
constexpr double kMost = 1e9;

/// A number as TOML reads it back: exact, and recognisably not an integer.
std::string toml_of(double value) {
  std::string text = fmt::format("{}", value);
  if (text.find_first_of(".einf") == std::string::npos) text += ".0";
  return text;
}
std::string toml_of(std::int64_t value) { return std::to_string(value); }
/// TOML's basic strings are JSON's, except for DEL.
std::string toml_of(const std::string& value) { return nlohmann::json(value).dump(); }
template <class Value>
std::string toml_of(const std::vector<Value>& values) {
  std::string text;
  for (const Value& value : values) text += (text.empty() ? "" : ", ") + toml_of(value);
  return "[" + text + "]";
}

std::string range(double least, double most, bool above_least) {
  const bool to = most < kMost;
  if (!std::isfinite(least)) return "";
  std::string text = fmt::format(" {} {}", above_least ? "above" : to ? "from" : "of at least", least);
  if (to) text += fmt::format("{} {}", above_least ? " and up to" : " to", most);
  return text;
}

std::string range(std::int64_t least, std::int64_t most) {
  return static_cast<double>(most) >= kMost ? fmt::format("of at least {}", least)
                                            : fmt::format("from {} to {}", least, most);
}

std::string listed(const std::vector<std::string_view>& names) {
  return fmt::format("'{}'", fmt::join(names, "', '"));
}

struct Allowed {
  std::string operator()(const Integer& t) const { return "an integer " + range(t.least, t.most); }
  std::string operator()(const Number& t) const { return "a number" + range(t.least, t.most, t.above_least); }
  std::string operator()(const OptionalNumber& t) const { return "a number" + range(t.least, t.most, false); }
  std::string operator()(const Toggle&) const { return "true or false"; }
  std::string operator()(const Text&) const { return "a string"; }
  std::string operator()(const Path&) const { return "a path in quotes"; }
  std::string operator()(const Integers& t) const { return "a list of integers " + range(t.least, t.most); }
  std::string operator()(const Pair& t) const { return "a list of two integers " + range(t.least, t.most); }
  std::string operator()(const Texts&) const { return "a list of strings"; }
  std::string operator()(const Matrix&) const { return "a matrix, row by row: [[1.0, 0.5], [0.5, 2.0]]"; }
  std::string operator()(const Choice& t) const {
    return (t.names.size() == 1 ? "" : "one of ") + listed(t.names);
  }
  std::string operator()(const Choices& t) const { return "a list of " + listed(t.names); }
};

/// The value as JSON; null when an optional one is empty.
struct AsJson {
  Values& values;

  nlohmann::json operator()(const OptionalNumber& t) const {
    const auto& value = t.at(values);
    return value ? nlohmann::json(*value) : nlohmann::json();
  }
  nlohmann::json operator()(const Pair& t) const { return {t.first(values), t.second(values)}; }
  nlohmann::json operator()(const Choice& t) const { return t.names[t.get(values)]; }
  template <class Other>
  nlohmann::json operator()(const Other& t) const {
    return t.at(values);
  }
};

struct Write {
  Values& values;

  std::string operator()(const OptionalNumber& t) const {
    const auto& value = t.at(values);
    return value ? toml_of(*value) : std::string();
  }
  std::string operator()(const Toggle& t) const { return t.at(values) ? "true" : "false"; }
  std::string operator()(const Pair& t) const {
    return toml_of(std::vector<std::int64_t>{t.first(values), t.second(values)});
  }
  std::string operator()(const Matrix& t) const {
    const auto& rows = t.at(values);
    return rows.empty() ? std::string() : toml_of(rows);
  }
  std::string operator()(const Choice& t) const { return toml_of(std::string(t.names[t.get(values)])); }
  template <class Other>
  std::string operator()(const Other& t) const {
    return toml_of(t.at(values));
  }
};

}  // namespace

std::string full_name(const Section& section, const Key& key) {
  return section.name.empty() ? std::string(key.name) : fmt::format("{}.{}", section.name, key.name);
}

std::string allowed(const Type& type) { return std::visit(Allowed{}, type); }

std::string written(const Type& type, const Values& values) {
  Values copy = values;  // accessors are written once, for values that may change
  return std::visit(Write{copy}, type);
}

std::string to_toml(const Schema& schema, const Values& values) {
  Values copy = values;
  std::string text;
  for (const Section& section : schema) {
    std::string lines;
    for (const Key& key : section.keys) {
      const std::string value = std::visit(Write{copy}, key.type);
      if (!value.empty()) lines += fmt::format("{} = {}\n", key.name, value);
    }
    if (!lines.empty() && !section.name.empty()) text += fmt::format("\n[{}]\n", section.name);
    text += lines;
  }
  return text;
}

nlohmann::json to_json(const Schema& schema, const Values& values,
                       const std::vector<std::string_view>& keys) {
  Values copy = values;
  const auto asked = [&](std::string_view name) {
    return std::find(keys.begin(), keys.end(), name) != keys.end();
  };
  nlohmann::json chosen = nlohmann::json::object();
  for (const Section& section : schema)
    for (const Key& key : section.keys)
      if (const std::string name = full_name(section, key); asked(section.name) || asked(name))
        chosen[name] = std::visit(AsJson{copy}, key.type);
  return chosen;
}

namespace {

/// A bar would end the cell.
std::string in_table(std::string_view text) {
  std::string escaped;
  for (const char letter : text) escaped += letter == '|' ? std::string("\\|") : std::string(1, letter);
  return escaped;
}

/// A row without its first cell.
std::string rest_of_row(const Key& key) {
  const std::string value = written(key.type, Values());
  return fmt::format("| {} | {} | {} | {}{} |\n", allowed(key.type), value.empty() ? "" : "`" + value + "`",
                     in_table(key.unit), key.doc, key.required ? " Required." : "");
}

std::string_view beginning_of(std::string_view name) { return name.substr(0, name.find('_') + 1); }

/// The keys from `first` on that differ in the ends of their names alone.
std::span<const Key> alike(std::span<const Key> keys) {
  const Key& first = keys.front();
  const auto other = std::find_if(keys.begin(), keys.end(), [&](const Key& key) {
    return beginning_of(key.name) != beginning_of(first.name) || rest_of_row(key) != rest_of_row(first);
  });
  return keys.first(static_cast<std::size_t>(other - keys.begin()));
}

/// One row for many keys, such as a measure of each method.
std::string row_of(std::span<const Key> keys) {
  const std::string_view beginning = beginning_of(keys.front().name);
  std::vector<std::string> ends;
  for (const Key& key : keys) ends.push_back(fmt::format("`{}`", key.name.substr(beginning.size())));
  std::string row = fmt::format("| `{}NAME` {}", beginning, rest_of_row(keys.front()));
  row.insert(row.size() - 3, fmt::format(" NAME is one of {}.", fmt::join(ends, ", ")));
  return row;
}

}  // namespace

std::string reference(const Section& section) {
  constexpr std::size_t many = 8;
  std::string text = "| key | value | default | unit | meaning |\n|---|---|---|---|---|\n";
  for (std::span<const Key> keys = section.keys; !keys.empty();) {
    const std::span<const Key> same = alike(keys);
    const bool joined = same.size() >= many;
    text += joined ? row_of(same) : fmt::format("| `{}` {}", keys.front().name, rest_of_row(keys.front()));
    keys = keys.subspan(joined ? same.size() : 1);
  }
  return text;
}

}  // namespace whence::config
