#include "experiment/recipe_keys.h"
#include "whence/core/error.h"

namespace whence::experiment {
namespace {

/// A number as TOML reads it back: exact, and recognisably not an integer.
std::string toml_number(double value) {
  std::string text = fmt::format("{}", value);
  if (text.find_first_of(".einf") == std::string::npos) text += ".0";
  return text;
}

/// TOML's basic strings are JSON's, except for DEL.
std::string toml_text(const std::string& value) { return nlohmann::json(value).dump(); }

template <class Values, class Format>
std::string toml_list(const Values& values, Format format) {
  std::string text = "[";
  for (const auto& value : values) text += (text.size() > 1 ? ", " : "") + format(value);
  return text + "]";
}

std::string range(double least, double most, bool above_least) {
  const bool from = std::isfinite(least);
  const bool to = std::isfinite(most) && most < 1e9;
  if (!from) return "";
  std::string text = fmt::format(" {} {}", above_least ? "above" : to ? "from" : "of at least", least);
  if (to) text += fmt::format("{} {}", above_least ? " and up to" : " to", most);
  return text;
}

std::string integer_range(std::int64_t least, std::int64_t most) {
  return most >= 1'000'000'000 ? fmt::format("of at least {}", least)
                               : fmt::format("from {} to {}", least, most);
}

struct Allowed {
  std::string operator()(const Integer& t) const { return "an integer " + integer_range(t.least, t.most); }
  std::string operator()(const Number& t) const { return "a number" + range(t.least, t.most, t.above_least); }
  std::string operator()(const OptionalNumber& t) const { return "a number" + range(t.least, t.most, false); }
  std::string operator()(const Toggle&) const { return "true or false"; }
  std::string operator()(const Text&) const { return "a string"; }
  std::string operator()(const Path&) const { return "a path in quotes"; }
  std::string operator()(const Integers& t) const {
    return "a list of integers " + integer_range(t.least, t.most);
  }
  std::string operator()(const Pair& t) const {
    return "a list of two integers " + integer_range(t.least, t.most);
  }
  std::string operator()(const Texts&) const { return "a list of strings"; }
  std::string operator()(const Choice& t) const {
    std::string names;
    for (const std::string_view name : t.names)
      names += fmt::format("{}'{}'", names.empty() ? "" : ", ", name);
    return t.names.size() == 1 ? names : "one of " + names;
  }
};

struct Write {
  Recipe& recipe;

  std::string operator()(const Integer& t) const { return std::to_string(t.at(recipe)); }
  std::string operator()(const Number& t) const { return toml_number(t.at(recipe)); }
  std::string operator()(const OptionalNumber& t) const {
    const auto& value = t.at(recipe);
    return value ? toml_number(*value) : std::string();
  }
  std::string operator()(const Toggle& t) const { return t.at(recipe) ? "true" : "false"; }
  std::string operator()(const Text& t) const { return toml_text(t.at(recipe)); }
  std::string operator()(const Path& t) const { return toml_text(t.at(recipe)); }
  std::string operator()(const Integers& t) const {
    return toml_list(t.at(recipe), [](std::int64_t value) { return std::to_string(value); });
  }
  std::string operator()(const Pair& t) const {
    return fmt::format("[{}, {}]", t.first(recipe), t.second(recipe));
  }
  std::string operator()(const Texts& t) const { return toml_list(t.at(recipe), toml_text); }
  std::string operator()(const Choice& t) const { return toml_text(std::string(t.names[t.get(recipe)])); }
};

struct AsJson {
  Recipe& recipe;

  nlohmann::json operator()(const Integer& t) const { return t.at(recipe); }
  nlohmann::json operator()(const Number& t) const { return t.at(recipe); }
  nlohmann::json operator()(const OptionalNumber& t) const {
    const auto& value = t.at(recipe);
    return value ? nlohmann::json(*value) : nlohmann::json();
  }
  nlohmann::json operator()(const Toggle& t) const { return t.at(recipe); }
  nlohmann::json operator()(const Text& t) const { return t.at(recipe); }
  nlohmann::json operator()(const Path& t) const { return t.at(recipe); }
  nlohmann::json operator()(const Integers& t) const { return t.at(recipe); }
  nlohmann::json operator()(const Pair& t) const { return {t.first(recipe), t.second(recipe)}; }
  nlohmann::json operator()(const Texts& t) const { return t.at(recipe); }
  nlohmann::json operator()(const Choice& t) const { return t.names[t.get(recipe)]; }
};

std::string table_row(const Key& key, const Recipe& defaults) {
  const std::string value = toml_value(key.type, defaults);
  return fmt::format("| `{}` | {} | {} | {} | {} |\n", last_part(key.name), allowed_values(key.type),
                     value.empty() ? "" : "`" + value + "`", key.unit, key.doc);
}

template <class Architecture>
std::string architecture_table(std::string_view key, std::span<const Architecture> architectures) {
  std::string text = fmt::format("\n| `{}` | width | what it is |\n|---|---|---|\n", key);
  for (const Architecture& architecture : architectures) {
    text +=
        fmt::format("| `{}` | {} | {} |\n", architecture.name,
                    architecture.width == 0 ? "" : std::to_string(architecture.width), architecture.meaning);
  }
  return text;
}

}  // namespace

std::string allowed_values(const KeyType& type) { return std::visit(Allowed{}, type); }

std::string toml_value(const KeyType& type, const Recipe& recipe) {
  Recipe copy = recipe;  // accessors are written once, for recipes that may change
  return std::visit(Write{copy}, type);
}

std::string to_toml(const Recipe& recipe) {
  std::string text;
  std::string_view section;
  for (const Key& key : recipe_keys()) {
    const std::string value = toml_value(key.type, recipe);
    if (value.empty()) continue;
    if (section_of(key.name) != section) {
      section = section_of(key.name);
      text += fmt::format("\n[{}]\n", section);
    }
    text += fmt::format("{} = {}\n", last_part(key.name), value);
  }
  return text;
}

nlohmann::json recipe_values(const Recipe& recipe, const std::vector<std::string_view>& keys) {
  Recipe copy = recipe;
  nlohmann::json values = nlohmann::json::object();
  for (const Key& key : recipe_keys()) {
    const bool wanted = std::any_of(keys.begin(), keys.end(), [&](std::string_view name) {
      return name == key.name || name == section_of(key.name);
    });
    if (wanted) values[std::string(key.name)] = std::visit(AsJson{copy}, key.type);
  }
  return values;
}

nlohmann::json with_later_keys(const nlohmann::json& values, const std::vector<std::string_view>& keys) {
  nlohmann::json all = recipe_values(Recipe(), keys);
  all.update(values);
  return all;
}

std::vector<std::string> path_keys() {
  std::vector<std::string> names;
  for (const Key& key : recipe_keys())
    if (std::holds_alternative<Path>(key.type)) names.emplace_back(key.name);
  return names;
}

std::string recipe_reference() {
  const Recipe defaults;
  std::string text =
      "# Recipes\n\n"
      "A recipe is a [TOML](https://toml.io) file that describes one experiment. `whence run RECIPE` carries "
      "it out; "
      "`--set section.key=value` changes a value for one run. `data.set` must be given, everything else has "
      "a default; a "
      "key that "
      "does not exist is an error. Relative paths are relative to the recipe's own folder. Most recipes set "
      "only "
      "data.set, data.classes, classifier.file, and of the explanation causal, noncausal, lambda, steps, "
      "batch, "
      "learning_rate and schedule.\n\n"
      "This page is printed by `whence recipe --reference` and checked against the program by its tests.\n";
  for (const SectionDoc& section : recipe_sections()) {
    text += section.name.empty() ? "\n## Top level\n\n" : fmt::format("\n## [{}]\n\n", section.name);
    text +=
        fmt::format("{}\n\n| key | value | default | unit | meaning |\n|---|---|---|---|---|\n", section.doc);
    for (const Key& key : recipe_keys()) {
      if (section_of(key.name) == section.name) text += table_row(key, defaults);
    }
  }
  text +=
      "\n## Architectures\n\n"
      "GCE-A is \"Reproducibility study: Generative causal explanations of black-box classifiers\", GCE-B "
      "\"[Re] Generative causal explanations of black-box classifiers\", GCE-C \"Replication study of "
      "Generative causal explanations of black-box classifiers\"; all three reproduce O'Shaughnessy et al. "
      "2020. PATHMASK is the study of semantic morphing and path-mask attribution. An architecture that does "
      "not fit the images is an error that says which images it takes.\n";
  return text + architecture_table("classifier.architecture", models::classifier_architectures()) +
         architecture_table("generator.architecture", models::autoencoder_architectures());
}

}  // namespace whence::experiment
