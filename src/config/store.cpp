#include "config/store.h"

#include "whence/core/error.h"
#include "whence/core/names.h"

namespace whence::config {
namespace {

std::string text_of(const toml::node& node) {
  if (node.is_table()) return "a section";
  if (node.is_floating_point()) return fmt::format("{}", node.as_floating_point()->get());
  std::ostringstream text;
  node.visit([&](const auto& value) { text << value; });
  return text.str();
}

/// Stores the node's value, one overload a type of key.
struct Store {
  const Key& key;
  const toml::node& node;
  const Origin& origin;
  Values& values;

  void operator()(const Integer& type) const { type.at(values) = integer(node, type.least, type.most); }
  void operator()(const Number& type) const {
    type.at(values) = number(node, type.least, type.most, type.above_least);
  }
  void operator()(const OptionalNumber& type) const {
    type.at(values) = number(node, type.least, type.most, false);
  }
  void operator()(const Toggle& type) const {
    if (!node.is_boolean()) reject();
    type.at(values) = node.as_boolean()->get();
  }
  void operator()(const Text& type) const { type.at(values) = text(node); }
  void operator()(const Path& type) const {
    const std::string path = text(node);
    type.at(values) =
        path.empty() ? path : std::filesystem::absolute(origin.folder / path).lexically_normal().string();
  }
  void operator()(const Integers& type) const {
    type.at(values) = list<std::int64_t>(
        node, [&](const toml::node& item) { return integer(item, type.least, type.most); });
  }
  void operator()(const Pair& type) const {
    const auto pair = list<std::int64_t>(
        node, [&](const toml::node& item) { return integer(item, type.least, type.most); });
    if (pair.size() != 2) reject();
    type.first(values) = pair[0];
    type.second(values) = pair[1];
  }
  void operator()(const Texts& type) const {
    type.at(values) = list<std::string>(node, [&](const toml::node& item) { return text(item); });
  }
  void operator()(const Matrix& type) const {
    const double inf = std::numeric_limits<double>::infinity();
    const auto row = [&](const toml::node& items) {
      return list<double>(items, [&](const toml::node& item) { return number(item, -inf, inf, false); });
    };
    const auto rows = list<std::vector<double>>(node, row);
    for (const std::vector<double>& each : rows)
      if (each.empty() || each.size() != rows.front().size()) reject();
    if (rows.empty()) reject();
    type.at(values) = rows;
  }
  void operator()(const Choice& type) const { type.set(values, index_in(type.names, text(node))); }
  void operator()(const Choices& type) const {
    type.at(values) = list<std::string>(node, [&](const toml::node& item) {
      return std::string(type.names[index_in(type.names, text(item))]);
    });
  }

 private:
  [[noreturn]] void reject() const {
    const bool typed_pair = !origin.typed.empty() && std::holds_alternative<Pair>(key.type);
    fail_usage("{} is {}, but must be {}{}", origin.subject,
               origin.typed.empty() ? text_of(node) : std::string(origin.typed), allowed(key.type),
               typed_pair ? ", such as 200x200" : "");
  }
  std::int64_t integer(const toml::node& item, std::int64_t least, std::int64_t most) const {
    const auto* value = item.as_integer();
    if (value == nullptr || value->get() < least) reject();
    if (value->get() > most)
      fail_usage("{} is {}, but must be at most {}", origin.subject, text_of(node), most);
    return value->get();
  }
  double number(const toml::node& item, double least, double most, bool above_least) const {
    const double value = item.value<double>().value_or(std::nan(""));
    if (!item.is_number() || !std::isfinite(value) || value < least || value > most ||
        (above_least && value == least))
      reject();
    return value;
  }
  std::string text(const toml::node& item) const {
    if (!item.is_string()) reject();
    return item.as_string()->get();
  }
  template <class Value, class Read>
  std::vector<Value> list(const toml::node& items, const Read& read) const {
    if (!items.is_array()) reject();
    std::vector<Value> all;
    for (const toml::node& item : *items.as_array()) all.push_back(read(item));
    return all;
  }
  std::size_t index_in(const std::vector<std::string_view>& names, const std::string& name) const {
    const auto found = std::find(names.begin(), names.end(), name);
    if (found == names.end())
      fail_usage("{} is '{}', but must be {}{}", origin.subject, name, allowed(key.type),
                 did_you_mean(name, names));
    return static_cast<std::size_t>(found - names.begin());
  }
};

template <class... Types>
bool is_one_of(const Type& type) {
  return (std::holds_alternative<Types>(type) || ...);
}

std::string in_quotes(const std::string& text) { return nlohmann::json(text).dump(); }

/// What a person types, as TOML: strings need no quotes there and lists no brackets.
std::string as_toml(const Type& type, const std::string& value) {
  if (is_one_of<Text, Path, Choice>(type))
    return value.starts_with('"') || value.starts_with('\'') ? value : in_quotes(value);
  if (value.starts_with('[')) return value;
  if (is_one_of<Integers>(type)) return "[" + value + "]";
  if (is_one_of<Number, OptionalNumber>(type) && value.starts_with('.')) return "0" + value;
  if (is_one_of<Pair>(type)) {
    std::string items = value;
    std::replace(items.begin(), items.end(), 'x', ',');
    return "[" + items + "]";
  }
  if (!is_one_of<Texts, Choices>(type)) return value;
  std::string items;
  std::istringstream words(value);
  for (std::string word; std::getline(words, word, ',');) items += in_quotes(word) + ",";
  return "[" + items + "]";
}

}  // namespace

void store(const Key& key, const toml::node& node, const Origin& origin, Values& values) {
  std::visit(Store{key, node, origin, values}, key.type);
}

void assign(const Key& key, std::string_view typed, std::string_view place, Values& values) {
  toml::table table;
  try {
    table = toml::parse("value = " + as_toml(key.type, std::string(typed)));
  } catch (const std::exception&) {  // told below
  }
  if (table.size() != 1)
    fail_usage("{} is {}, but must be {}", place, typed.empty() ? "empty" : fmt::format("'{}'", typed),
               allowed(key.type));
  store(key, *table.get("value"), {std::string(place), {}, typed}, values);
}

}  // namespace whence::config
