#include <toml++/toml.h>

#include <set>

#include "config/schema.h"
#include "whence/core/error.h"
#include "whence/core/names.h"

namespace whence::config {
namespace {

/// Where a value stands.
struct Origin {
  std::string subject;           ///< of an error's sentence: "recipe.toml:12: run.seed", "--seed"
  std::filesystem::path folder;  ///< relative paths start here; empty: the current one
  std::string_view typed = {};   ///< what a person typed, outside a file
};

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

void store(const Key& key, const toml::node& node, const Origin& origin, Values& values) {
  std::visit(Store{key, node, origin, values}, key.type);
}

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

/// The part of a full name before the last dot, and behind it.
std::pair<std::string_view, std::string_view> split(std::string_view name) {
  const auto dot = name.rfind('.');
  if (dot == std::string_view::npos) return {{}, name};
  return {name.substr(0, dot), name.substr(dot + 1)};
}

/// Reads one file.
class Reader {
 public:
  Reader(const Schema& schema, std::filesystem::path name, std::string_view reference)
      : schema_(schema), name_(std::move(name)), reference_(reference) {
    for (const Section& section : schema)
      for (const Key& key : section.keys) keys_.emplace_back(full_name(section, key), &key);
  }

  /// What `repeated` names is left to `read_tables`.
  toml::table read(std::string_view text, std::string_view repeated, Values& values) {
    toml::table table;
    try {
      table = toml::parse(text, name_.string());
    } catch (const toml::parse_error& error) {
      fail_usage("{}:{}: not a recipe: {}", name_.string(), error.source().begin.line, error.description());
    }
    for (const auto& [key, node] : table)
      if (repeated.empty() || key.str() != repeated) read_top(key.str(), node, values);
    return table;
  }

  std::vector<Table> read_tables(const toml::node* node, const Section& repeated) {
    const toml::array* items = node == nullptr ? nullptr : node->as_array();
    if (items == nullptr || items->empty() || !items->is_homogeneous(toml::node_type::table))
      fail_usage("{}: it must hold [[{}]], each with its keys below; {} lists them", name_.string(),
                 repeated.name, reference_);
    std::vector<Table> tables;
    for (const toml::node& item : *items) {
      Table& table = tables.emplace_back(Table{place(item), {}});
      read_section(repeated.name, *item.as_table(), table.values);
      check_required(repeated, table.place);
      given_.clear();
    }
    return tables;
  }

  void set(const std::string& setting, Values& values) {
    const std::string where = "--set " + setting;
    const auto equals = setting.find('=');
    if (equals == std::string::npos || equals == 0)
      fail_usage("{}: expected section.key=value, such as --set explanation.steps=2000", where);
    const std::string name = setting.substr(0, equals);
    assign(find(name, where), setting.substr(equals + 1), fmt::format("{}: {}", where, name), values);
  }

  void check_required(const Section& section, const std::string& where) const {
    for (const Key& key : section.keys)
      if (key.required && !given_.contains(full_name(section, key)))
        fail_usage("{}: {} is missing: {}", where, full_name(section, key), key.doc);
  }

 private:
  std::string place(const toml::node& node) const {
    return fmt::format("{}:{}", name_.string(), node.source().begin.line);
  }

  bool is_section(std::string_view name) const {
    return std::any_of(schema_.begin(), schema_.end(), [&](const Section& s) { return s.name == name; });
  }

  void read_top(std::string_view top, const toml::node& node, Values& values) {
    if (const toml::table* section = node.as_table(); section != nullptr) {
      if (!is_section(top)) {
        std::vector<std::string_view> names;
        for (const Section& known : schema_) names.push_back(known.name);
        fail_usage("{}: there is no recipe section [{}]{}; {} lists them all", place(node), top,
                   did_you_mean(top, names), reference_);
      }
      read_section(top, *section, values);
    } else if (is_section(top)) {
      fail_usage("{}: '{}' is a section of the recipe; write [{}] and its keys below it", place(node), top,
                 top);
    } else {
      read_key(std::string(top), node, values);
    }
  }

  void read_section(std::string_view section, const toml::table& table, Values& values) {
    for (const auto& [key, node] : table) read_key(fmt::format("{}.{}", section, key.str()), node, values);
  }

  void read_key(const std::string& name, const toml::node& node, Values& values) {
    const Key& key = find(name, place(node));
    store(key, node, {fmt::format("{}: {}", place(node), name), name_.parent_path()}, values);
  }

  const Key& find(const std::string& name, const std::string& where) {
    for (const auto& [known, key] : keys_) {
      if (known != name) continue;
      given_.insert(name);
      return *key;
    }
    fail_usage("{}: there is no recipe key '{}'{}; {} lists them all", where, name, suggestion(name),
               reference_);
  }

  /// The nearest key of the section, else a key of that name in another section, else the nearest of all.
  std::string suggestion(std::string_view name) const {
    const auto [section, last] = split(name);
    std::vector<std::string_view> siblings, all;
    std::string elsewhere;
    for (const auto& [known, key] : keys_) {
      all.push_back(known);
      if (split(known).first == section) siblings.push_back(key->name);
      if (key->name == last) elsewhere = known;
    }
    const std::string near = nearest_name(last, siblings);
    if (!near.empty())
      return fmt::format(" (did you mean '{}{}{}'?)", section, section.empty() ? "" : ".", near);
    return elsewhere.empty() ? did_you_mean(name, all) : fmt::format(" (did you mean '{}'?)", elsewhere);
  }

  const Schema& schema_;
  std::filesystem::path name_;
  std::string_view reference_;
  std::vector<std::pair<std::string, const Key*>> keys_;
  std::set<std::string> given_;
};

}  // namespace

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

void parse_into(Values& values, const Schema& schema, std::string_view text,
                const std::filesystem::path& name, const std::vector<std::string>& settings,
                std::string_view reference) {
  Reader reader(schema, name, reference);
  reader.read(text, "", values);
  for (const std::string& setting : settings) reader.set(setting, values);
  for (const Section& section : schema) reader.check_required(section, name.string());
}

Values parse(const Schema& schema, std::string_view text, const std::filesystem::path& name,
             const std::vector<std::string>& settings, std::string_view reference) {
  Values values;
  parse_into(values, schema, text, name, settings, reference);
  return values;
}

std::vector<Table> parse_tables(Values& values, const Schema& schema, const Section& repeated,
                                std::string_view text, const std::filesystem::path& name,
                                std::string_view reference) {
  Schema all = schema;
  all.push_back(repeated);
  Reader reader(all, name, reference);
  const toml::table table = reader.read(text, repeated.name, values);
  for (const Section& section : schema) reader.check_required(section, name.string());
  return reader.read_tables(table.get(repeated.name), repeated);
}

}  // namespace whence::config
