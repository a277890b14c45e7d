#include <toml++/toml.h>

#include <cmath>

#include "experiment/recipe_keys.h"
#include "whence/core/error.h"
#include "whence/core/files.h"
#include "whence/core/names.h"

namespace whence::experiment {
namespace {

/// Where a value stands, for errors and for relative paths.
struct Origin {
  std::string place;             ///< "recipe.toml:12" or "--set run.seed=x"
  std::filesystem::path folder;  ///< relative paths start here; empty: the current one
};

std::string text_of(const toml::node& node) {
  if (node.is_table()) return "a section";
  if (node.is_floating_point()) return fmt::format("{}", node.as_floating_point()->get());
  std::ostringstream text;
  node.visit([&](const auto& value) { text << value; });
  return text.str();
}

[[noreturn]] void reject(const Key& key, const toml::node& node, const Origin& origin) {
  fail_usage("{}: {} is {}, but must be {}", origin.place, key.name, text_of(node), allowed_values(key.type));
}

std::int64_t integer(const Key& key, const toml::node& node, std::int64_t least, std::int64_t most,
                     const Origin& origin, const toml::node& whole) {
  const auto* value = node.as_integer();
  if (value == nullptr || value->get() < least) reject(key, whole, origin);
  if (value->get() > most)
    fail_usage("{}: {} is {}, but must be at most {}", origin.place, key.name, text_of(whole), most);
  return value->get();
}

double number(const Key& key, const toml::node& node, double least, double most, bool above_least,
              const Origin& origin) {
  const double value = node.value<double>().value_or(std::nan(""));
  if (!node.is_number() || !std::isfinite(value) || value < least || value > most ||
      (above_least && value == least))
    reject(key, node, origin);
  return value;
}

std::string text(const Key& key, const toml::node& node, const Origin& origin) {
  const auto* value = node.as_string();
  if (value == nullptr) reject(key, node, origin);
  return value->get();
}

std::string absolute_path(const std::string& path, const Origin& origin) {
  if (path.empty()) return path;
  return std::filesystem::absolute(origin.folder / path).lexically_normal().string();
}

/// Stores the node's value in the recipe, one overload a type of key.
struct Assign {
  const Key& key;
  const toml::node& node;
  const Origin& origin;
  Recipe& recipe;

  void operator()(const Integer& type) const {
    type.at(recipe) = integer(key, node, type.least, type.most, origin, node);
  }
  void operator()(const Number& type) const {
    type.at(recipe) = number(key, node, type.least, type.most, type.above_least, origin);
  }
  void operator()(const OptionalNumber& type) const {
    type.at(recipe) = number(key, node, type.least, type.most, false, origin);
  }
  void operator()(const Toggle& type) const {
    if (!node.is_boolean()) reject(key, node, origin);
    type.at(recipe) = node.as_boolean()->get();
  }
  void operator()(const Text& type) const { type.at(recipe) = text(key, node, origin); }
  void operator()(const Path& type) const {
    type.at(recipe) = absolute_path(text(key, node, origin), origin);
  }
  void operator()(const Integers& type) const {
    std::vector<std::int64_t> values;
    for (const toml::node& item : list()) {
      values.push_back(integer(key, item, type.least, type.most, origin, node));
    }
    type.at(recipe) = values;
  }
  void operator()(const Pair& type) const {
    const toml::array& items = list();
    if (items.size() != 2) reject(key, node, origin);
    type.first(recipe) = integer(key, items[0], type.least, type.most, origin, node);
    type.second(recipe) = integer(key, items[1], type.least, type.most, origin, node);
  }
  void operator()(const Texts& type) const {
    std::vector<std::string> values;
    for (const toml::node& item : list()) {
      if (!item.is_string()) reject(key, node, origin);
      values.push_back(item.as_string()->get());
    }
    type.at(recipe) = values;
  }
  void operator()(const Choice& type) const {
    const std::string name = text(key, node, origin);
    const auto found = std::find(type.names.begin(), type.names.end(), name);
    if (found == type.names.end()) {
      fail_usage("{}: {} is '{}', but must be {}{}", origin.place, key.name, name, allowed_values(key.type),
                 did_you_mean(name, type.names));
    }
    type.set(recipe, static_cast<std::size_t>(found - type.names.begin()));
  }

 private:
  const toml::array& list() const {
    if (!node.is_array()) reject(key, node, origin);
    return *node.as_array();
  }
};

/// The nearest key of the section, else a key of that name in another section, else the nearest of all.
std::string suggestion(std::string_view name) {
  std::vector<std::string_view> siblings, all;
  std::string elsewhere;
  for (const Key& key : recipe_keys()) {
    all.push_back(key.name);
    if (section_of(key.name) == section_of(name)) siblings.push_back(last_part(key.name));
    if (last_part(key.name) == last_part(name)) elsewhere = key.name;
  }
  const std::string near = nearest_name(last_part(name), siblings);
  if (!near.empty()) {
    const std::string_view section = section_of(name);
    return fmt::format(" (did you mean '{}{}{}'?)", section, section.empty() ? "" : ".", near);
  }
  if (!elsewhere.empty()) return fmt::format(" (did you mean '{}'?)", elsewhere);
  return did_you_mean(name, all);
}

const Key& find_key(std::string_view name, const Origin& origin) {
  for (const Key& key : recipe_keys()) {
    if (key.name == name) return key;
  }
  fail_usage("{}: there is no recipe key '{}'{}; `whence recipe --reference` lists them all", origin.place,
             name, suggestion(name));
}

void assign(std::string_view name, const toml::node& node, const Origin& origin, Recipe& recipe) {
  const Key& key = find_key(name, origin);
  std::visit(Assign{key, node, origin, recipe}, key.type);
}

bool is_section(std::string_view name) {
  const auto sections = recipe_sections();
  return std::any_of(sections.begin(), sections.end(), [&](const SectionDoc& s) { return s.name == name; });
}

void assign_all(const toml::table& table, const std::string& name, Recipe& recipe) {
  const auto origin_of = [&](const toml::node& node) {
    return Origin{fmt::format("{}:{}", name, node.source().begin.line),
                  std::filesystem::path(name).parent_path()};
  };
  for (const auto& [key, node] : table) {
    const std::string_view top = key.str();
    if (top == "problem" && node.is_array())
      fail_usage("{}: [[problem]] is of `whence linear-gaussian {}`, not of a run", origin_of(node).place,
                 name);
    if (const toml::table* section = node.as_table(); section != nullptr) {
      if (!is_section(top)) {
        std::vector<std::string_view> names;
        for (const SectionDoc& known : recipe_sections()) names.push_back(known.name);
        fail_usage("{}: there is no recipe section [{}]{}; `whence recipe --reference` lists them all",
                   origin_of(node).place, top, did_you_mean(top, names));
      }
      for (const auto& [inner, value] : *section) {
        assign(fmt::format("{}.{}", top, inner.str()), value, origin_of(value), recipe);
      }
    } else if (is_section(top)) {
      fail_usage("{}: '{}' is a section of the recipe; write [{}] and its keys below it",
                 origin_of(node).place, top, top);
    } else {
      assign(top, node, origin_of(node), recipe);
    }
  }
}

/// What a person types after --set, as TOML: strings need no quotes there and lists no brackets.
std::string as_toml(const KeyType& type, const std::string& value) {
  const bool quoted = value.starts_with('"') || value.starts_with('\'');
  const bool textual = std::holds_alternative<Text>(type) || std::holds_alternative<Path>(type) ||
                       std::holds_alternative<Choice>(type);
  if (textual && !quoted) return nlohmann::json(value).dump();
  if (value.starts_with('[')) return value;
  if (std::holds_alternative<Integers>(type)) return "[" + value + "]";
  if (std::holds_alternative<Pair>(type)) {  // 200x200, as the commands' --samples, or 200,200
    std::string items = value;
    std::replace(items.begin(), items.end(), 'x', ',');
    return "[" + items + "]";
  }
  return value;
}

void apply_setting(const std::string& setting, Recipe& recipe) {
  const Origin origin{"--set " + setting, {}};
  const auto equals = setting.find('=');
  if (equals == std::string::npos || equals == 0) {
    fail_usage("{}: expected section.key=value, such as --set explanation.steps=2000", origin.place);
  }
  const Key& key = find_key(setting.substr(0, equals), origin);
  const std::string value = setting.substr(equals + 1);
  toml::table table;
  try {
    table = toml::parse("value = " + as_toml(key.type, value));
  } catch (const toml::parse_error&) {  // told below
  }
  if (table.size() != 1) {
    fail_usage("{}: {} is {}, but must be {}", origin.place, key.name,
               value.empty() ? "empty" : "'" + value + "'", allowed_values(key.type));
  }
  assign(key.name, *table.get("value"), origin, recipe);
}

}  // namespace

Recipe parse_recipe(std::string_view text, const std::filesystem::path& name,
                    const std::vector<std::string>& settings) {
  Recipe recipe;
  recipe.title = name.stem().string();
  toml::table table;
  try {
    table = toml::parse(text, name.string());
  } catch (const toml::parse_error& error) {
    fail_usage("{}:{}: not a recipe: {}", name.string(), error.source().begin.line, error.description());
  }
  assign_all(table, name.string(), recipe);
  for (const std::string& setting : settings) apply_setting(setting, recipe);
  check_recipe(recipe, name.string());
  return recipe;
}

Recipe load_recipe(const std::filesystem::path& file, const std::vector<std::string>& settings) {
  return parse_recipe(read_file(file), file, settings);
}

}  // namespace whence::experiment
