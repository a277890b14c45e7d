#include <set>

#include "config/store.h"
#include "whence/core/error.h"
#include "whence/core/names.h"

namespace whence::config {
namespace {

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
